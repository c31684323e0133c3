"""Where the data of assets is: from Azure ML's URIs to blobs of storage accounts.

A user's token opens all that is theirs, so it is sent to storage accounts of the platform's
own cloud alone, whatever an asset's author has written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from greyhub.azureml.storage import ACCOUNT, CONTAINER, PROTOCOL

_DATASTORE: Final = re.compile(r"(?:(.+)/)?datastores/([^/]+)/paths/(.*)")
_WORKSPACE: Final = re.compile(
    r"subscriptions/([^/]+)/resourcegroups/([^/]+)(?:/providers/[^/]+)?/workspaces/([^/]+)", re.I
)
_OUTPUT: Final = re.compile(r"azureml://(?:.+/)?datastores/[^/]+/paths/azureml/([^/]+)/[^/]+.*")
_ONLY: Final = "only Blob Storage and Data Lake Storage Gen2 are"


@dataclass(frozen=True)
class Blob:
    """A file or a folder in a container."""

    account_url: str
    container: str
    path: str
    datastore: str = ""
    """The datastore that the URI names, if it does."""

    credentials: str = ""
    """The kind of secret by which jobs open that datastore, as Azure calls it; no user has it."""

    @property
    def key(self) -> str:
        """Container and path, as its filesystem takes them."""
        return f"{self.container}/{self.path}".rstrip("/")

    @property
    def url(self) -> str:
        """As fsspec opens it."""
        return f"{PROTOCOL}://{self.key}"

    @property
    def address(self) -> str:
        """As people know it."""
        return f"{self.account_url}/{self.key}"

    def below(self, path: str) -> Blob:
        """What is at a relative path.

        Raises
        ------
        ValueError
            It leads out of this one.
        """
        clean = posixpath.normpath(path.replace("\\", "/"))
        if clean.startswith(("/", "..")):
            raise ValueError(f"{path!r} leads out of the asset")
        if clean == ".":
            return self
        return replace(self, path=plain(posixpath.join(self.path, clean)))


@dataclass(frozen=True)
class URIs:
    """What URIs mean in one workspace.

    Parameters
    ----------
    workspace : str
        Its resource id.
    storage : str
        What the names of storage accounts end in, ``core.windows.net``.
    accounts : mapping
        The addresses of accounts that have others than these, by name.
    datastores : mapping
        The datastores, by name.
    """

    workspace: str
    storage: str
    accounts: Mapping[str, str] = field(default_factory=dict)
    datastores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def find(self, uri: str) -> Blob:
        """Where the data of a URI is.

        Raises
        ------
        ValueError
            It is nowhere that can be read here: says why.
        """
        parts = urlsplit(uri)
        if "?" in uri or parts.password:
            raise ValueError("its URI holds more than a place, which may be a secret")
        if parts.scheme == "azureml":
            return self._of_datastore(uri)
        if parts.fragment:
            raise ValueError("its URI holds more than a place: it has a '#'")
        if parts.scheme in ("abfs", "abfss", "wasb", "wasbs") and parts.username:
            return self._in(parts.hostname or "", parts.username, parts.path)
        if parts.scheme == "https":
            container, _, path = parts.path.lstrip("/").partition("/")
            return self._in(parts.netloc, container, unquote(path))
        kind = uri.partition("://")[0] or repr(uri)
        raise ValueError(f"its data is at {kind}://, which is not read by a login: {_ONLY}")

    def _of_datastore(self, uri: str) -> Blob:
        found = _DATASTORE.fullmatch(uri.removeprefix("azureml://"))
        if not found:
            raise ValueError(f"its URI names no path of a datastore: {uri}")
        scope, name, path = found.groups()
        if scope and not self._is_own(scope):
            raise ValueError(f"its data is in another workspace: {uri}")
        return replace(self.datastore(name), path=plain(path.strip("/")))

    def datastore(self, name: str) -> Blob:
        """Where the data of a datastore is.

        Raises
        ------
        ValueError
            It is none of this workspace's, or cannot be read here: says why.
        """
        if name not in self.datastores:
            raise ValueError(f"there is no datastore {name!r} for it")
        store = self.datastores[name]
        if store["type"] not in ("AzureBlob", "AzureDataLakeGen2"):
            raise ValueError(
                f"the datastore {name!r} is of the kind {store['type']}, which is not read by a "
                f"login: {_ONLY}"
            )
        endpoint = store["endpoint"] or self.storage
        blob = self._in(f"{store['account']}.blob.{endpoint}", store["container"], "")
        return replace(blob, datastore=name, credentials=store["credentials"])

    def _is_own(self, scope: str) -> bool:
        told, own = _WORKSPACE.fullmatch(scope), _WORKSPACE.fullmatch(self.workspace.strip("/"))
        if told and own:
            return [each.lower() for each in told.groups()] == [
                each.lower() for each in own.groups()
            ]
        return False

    def _in(self, host: str, container: str, path: str) -> Blob:
        account, _, rest = host.lower().partition(".")
        own = rest in (f"blob.{self.storage}", f"dfs.{self.storage}")
        if not own or not ACCOUNT.fullmatch(account):
            raise ValueError(
                f"its data is at {host}, which is no storage account of this cloud: your login is "
                "not sent there"
            )
        if container not in ("$root", "$web") and not CONTAINER.fullmatch(container):
            raise ValueError(f"its data is in {container!r}, which is no container")
        default = f"https://{account}.blob.{self.storage}"
        account_url = str(self.accounts.get(account, default))
        return Blob(account_url, container, plain(path.strip("/")))


def job_of(uri: str) -> str:
    """The job whose output is at a URI, if it is where Azure puts these by itself; else empty."""
    found = _OUTPUT.fullmatch(uri)
    return found[1] if found else ""


def plain(path: str) -> str:
    """A path that names what it seems to; fsspec takes ``::`` for several places in one.

    Raises
    ------
    ValueError
        It does not.
    """
    if "::" in path or any(part in (".", "..") for part in path.split("/")):
        raise ValueError(f"its path is not plain: {path}")
    return path
