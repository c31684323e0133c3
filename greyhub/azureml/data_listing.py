"""The data assets and datastores of a workspace as the hub lists them, for notebooks to open.

One list of names serves everybody, and the versions of an asset are asked for as it is
used: no request for each asset, or for each user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Final

from greyhub.azureml.errors import NotFound, Unavailable
from greyhub.azureml.resources import Resource
from greyhub.azureml.settings import AzureML
from greyhub.azureml.shared_list import Items, SharedList
from greyhub.azureml.workspace import shared

AT_ONCE: Final = 2
"""Assets whose versions are asked for at a time: servers and clusters ask by the same budget."""

PLACE: Final = ("type", "account", "container", "endpoint", "credentials")
"""What is told of a datastore that an asset is in: where it is, and by what jobs open it."""


class DataListing:
    """What notebooks may know of the data assets: no secret, and nothing of their content.

    Parameters
    ----------
    settings : AzureML
        The workspace, and the hub's own login.
    patterns : sequence of str
        Which assets there are for users, as in ``sst-*``.
    interval : float
        Seconds for which one answer of Azure's serves everybody.
    datastores : sequence of str
        Which datastores there are for users, as patterns; assets in others are opened, too.
    """

    def __init__(
        self,
        settings: AzureML,
        patterns: Sequence[str],
        interval: float,
        datastores: Sequence[str] = (),
    ) -> None:
        self.settings, self.patterns, self.interval = settings, patterns, interval
        self.datastores = datastores
        self._assets = SharedList(self._load_assets, interval)
        self._stores = SharedList(self._load_stores, interval)
        self._versions: dict[str, SharedList] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._latest: dict[str, str] = {}
        """The latest version of each of them, as it was when it was last asked for."""

    async def assets(self) -> dict[str, Any]:
        """The ``assets`` and the ``datastores`` that users see.

        ``stale`` says why they are not those of now, while Azure does not answer.

        Raises
        ------
        AzureMLError
            They cannot be listed, and never could.
        """
        found, stale = await _look(self._assets)
        stores, too = await _look(self._stores) if self.datastores else ({}, "")
        shown = [row for name, row in stores.items() if _fits(name, self.datastores)]
        return {"assets": list(found.values()), "datastores": shown, "stale": stale or too}

    async def versions(self, name: str) -> dict[str, Any]:
        """The versions of an asset, the newest first, and the datastores that they name.

        Raises
        ------
        NotFound
            There is no such asset for users.
        AzureMLError
            They cannot be listed, and never could.
        """
        assets, _ = await _look(self._assets)
        if name not in assets:
            raise NotFound(
                f"the workspace has no data asset {name!r} for users",
                "call hub.data.reload() to see which there are",
            )
        latest = assets[name]["latest"]
        known = self._versions.setdefault(
            name, SharedList(partial(self._load_versions, name), self.interval)
        )
        if self._latest.get(name, latest) != latest:
            known.changed()
        self._latest[name] = latest
        for gone in self._versions.keys() - assets.keys():
            del self._versions[gone], self._latest[gone]
        versions, _ = await _look(known)
        found = list(versions.values())
        named = {store for each in found if (store := datastore_of(each["uri"]))}
        stores, _ = await _look(self._stores) if named else ({}, "")
        return {
            "versions": found,
            "datastores": {
                name: {each: stores[name][each] for each in PLACE}
                for name in sorted(named)
                if name in stores
            },
        }

    async def _load_assets(self) -> Items:
        found = await shared(self.settings).data_assets()
        return {each["name"]: _asset(each) for each in found if self._is_shown(each)}

    def _is_shown(self, asset: Resource) -> bool:
        archived = asset["properties"].get("isArchived")
        return not archived and _fits(asset["name"], self.patterns)

    async def _load_versions(self, name: str) -> Items:
        async with self._room:
            found = await shared(self.settings).data_versions(name)
        newest = sorted(map(_version, found), key=lambda each: str(each["created"]), reverse=True)
        return {str(each["version"]): each for each in newest}

    async def _load_stores(self) -> Items:
        found = await shared(self.settings).datastores()
        return {each["name"]: _datastore(each) for each in found}


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, each) for each in patterns)


async def _look(shown: SharedList) -> tuple[Items, str]:
    """A list as it is; or, while Azure does not answer, as it was, and why."""
    try:
        return await shown.look(), ""
    except Unavailable as error:
        if shown.age is None:
            raise
        return shown.items, error.what


def datastore_of(uri: str) -> str:
    """The datastore that a URI of Azure ML's names; empty if it names none."""
    scheme, _, rest = uri.partition("://")
    parts = rest.split("/")
    if scheme != "azureml" or "datastores" not in parts[:-1]:
        return ""
    return parts[parts.index("datastores") + 1]


def _asset(found: Resource) -> dict[str, Any]:
    about = found["properties"]
    return {
        "name": found["name"],
        "type": about.get("dataType") or "",
        "description": about.get("description") or "",
        "tags": about.get("tags") or {},
        "latest": about.get("latestVersion") or "",
    }


def _version(found: Resource) -> dict[str, Any]:
    about = found["properties"]
    return {
        "version": found["name"],
        "id": found["id"],
        "type": about["dataType"],
        "uri": _without_query(about["dataUri"]),
        "created": (found.get("systemData") or {}).get("createdAt") or "",
        "description": about.get("description") or "",
        "tags": about.get("tags") or {},
        "properties": about.get("properties") or {},
    }


def _without_query(uri: str) -> str:
    """A URI, where what follows a ``?`` may be a signature, which opens what is there."""
    place, query, _ = uri.partition("?")
    return f"{place}?…" if query else place


_CONTAINER: Final = ("containerName", "filesystem", "fileShareName")
"""What the container is called of each kind of datastore."""


def _datastore(found: Resource) -> Mapping[str, Any]:
    """What users may know of a datastore: of its credentials the kind alone."""
    about = found["properties"]
    return {
        "name": found["name"],
        "type": about["datastoreType"],
        "account": about.get("accountName") or "",
        "container": next((about[each] for each in _CONTAINER if about.get(each)), ""),
        "endpoint": about.get("endpoint") or "",
        "credentials": (about.get("credentials") or {}).get("credentialsType") or "None",
        "description": about.get("description") or "",
        "tags": about.get("tags") or {},
    }
