"""One datastore of the workspace as a dataset of ``hub.data``: its files, or what is at a path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from greyhub.data.azureml_assets.listed import ListedEntry
from greyhub.data.azureml_assets.readers import Readers
from greyhub.data.azureml_assets.uris import Blob, URIs, job_of, plain
from greyhub.data.document import Fault
from greyhub.data.parameters import Parameter
from greyhub.data.policy import Policy
from greyhub.data.rendering import Rendering

PREFIX: Final = "datastores/"
"""What the names of datastores begin with, as in Azure's URIs: no asset's name has a ``/``."""

FILESYSTEM: Final = "fsspec.implementations.dirfs:DirFileSystem"
"""What reading a datastore gives."""


@dataclass(frozen=True)
class DatastoreEntry(ListedEntry):
    """One datastore."""

    @property
    def description(self) -> str:
        """Its description; by default where it is."""
        place = f"{self.row['container']} in the storage account {self.row['account']}"
        return super().description or place

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its tags, and where it is; ``credentials`` says by what jobs open it, and holds none."""
        told = ("type", "account", "container", "credentials")
        about = {"datastore": self.row["name"], **{each: self.row[each] for each in told}}
        return {**self.row["tags"], "azureml": about}

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The path of what is opened."""
        what = "a file or folder in it, which is read as a data asset is; by default all its files"
        return {"path": _Path("path", "str", what, "")}

    def misshapen(self, policy: Policy) -> Fault | None:
        """Of a kind, or at a place, that users' logins do not open."""
        try:
            self._root()
        except ValueError as error:
            fix = "ask who looks after the workspace for a copy of its data in a blob container"
            return self.fault(f"cannot be opened: {error}", fix)
        return None

    def container(self, policy: Policy) -> str:
        """A file system, unless a path is chosen."""
        return FILESYSTEM

    def make(self, rendering: Rendering) -> Any:
        """The reader, after a look at the storage account."""
        path = str(rendering.values["path"])
        try:
            blob = self._root().below(path)
            lineage = {
                **self.metadata["azureml"],
                "path": path,
                "job": job_of(f"azureml://datastores/{self.row['name']}/paths/{path}"),
            }
            readers = Readers(self._uris, self.listing.storage_options, lineage)
            return readers.at(blob) if path else readers.filesystem(blob)
        except ValueError as error:
            raise self.fault(
                f"cannot be opened at {path!r}: {error}",
                f"name a file, or a folder of one kind of files; hub.data[{self.name!r}].read() "
                "has them all",
            ) from None
        except Fault as fault:
            raise self.fault(fault.what, fault.fix) from None

    @property
    def _uris(self) -> URIs:
        return self.listing.uris({self.row["name"]: self.row})

    def _root(self) -> Blob:
        return self._uris.datastore(self.row["name"])


@dataclass(frozen=True)
class _Path(Parameter):
    """A path in a datastore: relative, and leading nowhere else."""

    def value(self, given: Any) -> Any:
        """The path."""
        if not isinstance(given, str) or given.startswith("/"):
            raise self._wrong(given, "is no path in it, as in 'rain/2020.csv'")
        try:
            return plain(given.rstrip("/"))
        except ValueError as error:
            raise self._wrong(given, f"is refused: {error}") from None
