"""One data asset as a dataset of ``hub.data``, of which a version is opened."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from greyhub.data.azureml_assets import formats
from greyhub.data.azureml_assets.listed import ListedEntry
from greyhub.data.azureml_assets.listing import Gone
from greyhub.data.azureml_assets.readers import Readers
from greyhub.data.azureml_assets.uris import Blob, job_of
from greyhub.data.document import Fault
from greyhub.data.parameters import Parameter
from greyhub.data.policy import Policy
from greyhub.data.rendering import Rendering

TYPES: Final = ("uri_file", "uri_folder", "mltable")
"""The types of data assets."""

LATEST: Final = "latest"
"""What stands for the latest version."""

Version = Mapping[str, Any]
"""What the hub lists of one: ``version``, ``id``, ``type``, ``uri``, ``tags``, ``properties``, …"""


@dataclass(frozen=True)
class AssetEntry(ListedEntry):
    """One data asset.

    Parameters
    ----------
    pinned : str
        The version that it is; any may be chosen by default.
    """

    pinned: str = ""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What its version says of itself, and where it is from."""
        version = self._version(self.pinned)
        about = {key: _value(value) for key, value in version["properties"].items()}
        return {**about, **version["tags"], "azureml": self._lineage(version)}

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The version, unless its name has it."""
        if self.pinned:
            return {}
        newest = str(self._version("")["version"])
        what = "the version of the data asset; the latest by default"
        allowed = _Versions({name: name for name in self.versions()}, newest)
        return {"version": Parameter("version", "object", what, newest, allowed)}

    def versions(self) -> Mapping[str, Version]:
        """The versions by name, the newest first."""
        return {str(each["version"]): each for each in self._versions()}

    def of_version(self, name: str) -> AssetEntry | None:
        """The asset in one version, ``latest`` being one; None if it has no such version."""
        versions = self.versions()
        if name == LATEST and name not in versions:
            name = str(self._version("")["version"])
        return replace(self, pinned=name) if name in versions else None

    def misshapen(self, policy: Policy) -> Fault | None:
        """A type that there was not when this was written."""
        if self.row["type"] in TYPES:
            return None
        return self.fault(
            f"is of the type {self.row['type']!r}, which is not known", f"make it {_either(TYPES)}"
        )

    def container(self, policy: Policy) -> str:
        """The type that reading gives, as far as the URI tells; of some folders, ``""``."""
        version = self._version(self.pinned)
        return formats.of_asset(version["type"], str(version["uri"]))

    def describe(self, policy: Policy) -> dict[str, Any]:
        """As of any entry; of one version, there is nothing to choose.

        Of an asset that is gone since it was listed, what the list says.
        """
        try:
            found = super().describe(policy)
            return found if len(self._versions()) > 1 else {**found, "parameters": []}
        except Gone:
            return {
                "name": self.name,
                "description": self.description,
                "driver": self.driver,
                "container": "",
                "parameters": [],
                "metadata": dict(self.row["tags"]),
                "catalog": self.where,
            }

    def make(self, rendering: Rendering) -> Any:
        """The reader, after a look at the storage account."""
        version = self._version(str(rendering.values.get("version") or self.pinned))
        uris = self.listing.uris(self.listing.versions(self.row)["datastores"])
        try:
            blob = uris.find(str(version["uri"]))
            readers = Readers(uris, self.listing.storage_options, self._lineage(version, blob))
            return readers.reader(version["type"], blob)
        except ValueError as error:
            raise self.fault(
                f"cannot be opened, version {version['version']}: {error}",
                "ask who looks after the asset for a version that can be read here",
            ) from None
        except Fault as fault:
            raise self.fault(fault.what, fault.fix) from None

    def _versions(self) -> Sequence[Version]:
        found: Sequence[Version] = self.listing.versions(self.row)["versions"]
        if not found:
            raise self.fault(
                "has no version that is not archived", "restore one in Azure ML, or make one"
            )
        return found

    def _version(self, name: str) -> Version:
        """One version; by default the latest, as Azure says, or else the newest."""
        found = self._versions()
        wanted = name or self.row["latest"]
        for each in found:
            if each["version"] == wanted:
                return each
        if name:
            raise self.fault(
                f"has no version {name!r} any more", "call hub.data.reload(), and choose another"
            )
        return found[0]

    def _lineage(self, version: Version, blob: Blob | None = None) -> dict[str, Any]:
        """Where a version is from."""
        found = {
            "id": version["id"],
            "name": self.name,
            "version": version["version"],
            "type": version["type"],
            "uri": version["uri"],
            "created": version["created"],
            "job": job_of(str(version["uri"])),
        }
        return {**found, "datastore": blob.datastore} if blob else found


class _Versions(dict[str, str]):
    """Versions by name, which may be written as numbers; and the latest."""

    def __init__(self, known: Mapping[str, str], latest: str) -> None:
        super().__init__(known)
        self._latest = latest

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._name(key))

    def __getitem__(self, key: Any) -> str:
        return super().__getitem__(self._name(key))

    def _name(self, key: Any) -> Any:
        if key == LATEST and not super().__contains__(LATEST):
            return self._latest
        return str(key) if isinstance(key, int) and not isinstance(key, bool) else key


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _value(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
