"""The stores that a home can be on, one module for each.

A store holds files under paths below its root. `Store` is what
`greyhub.homespace.filesystem.Home` asks of it; ``can`` says what more it offers.
What a store publishes appears whole: readers see the old file or the new one.
"""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, ClassVar, Literal, Protocol

from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores.errors import FileChanged
from greyhub.homespace.stores.retry import Retry
from greyhub.imports import import_object

MEMORY = 8 * 2**20
"""Bytes of an unfinished file that stay in memory before they go to a disk."""

CAPABILITIES: Mapping[str, str] = {
    "append": "open(path, 'ab')",
    "atomic": "whoever reads through a home sees the old file or the new one",
    "conditional_write": "pipe_file(path, value, match=version)",
    "directories": "mv moves a directory in one step, and an emptied one stays",
    "exclusive_create": "open(path, 'xb') and mode='create' have one winner",
    "processes": "a pickled home sees the same files",
    "symlinks": "links are seen, and those that lead out are not followed",
    "touch": "touch(path, truncate=False)",
}
"""What a store may offer, and how that is asked for."""

STORES: Mapping[str, str] = {
    **dict.fromkeys(("file", "local"), "local:LocalStore"),
    **dict.fromkeys(("s3", "s3a"), "s3:S3Store"),
    **dict.fromkeys(("abfs", "abfss", "az"), "azure:AzureStore"),
    **dict.fromkeys(("sftp", "ssh"), "sftp:SFTPStore"),
    **dict.fromkeys(("webdav", "dav"), "webdav:WebDAVStore"),
    "memory": "memory:MemoryStore",
}
"""The store for a URL's protocol; every other protocol is `fsspec_store.FsspecStore`'s."""

PART, SWAP = ".greyhub-part-", ".greyhub-swap-"
"""How the names of files begin that are not published yet. Nobody is shown them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory, as its store describes it."""

    name: str
    """The path below the home's root; the root's is empty."""

    type: Literal["file", "directory", "link", "other"]

    size: int = 0
    """Bytes."""

    mtime: float | None = None
    """Seconds since 1970, as far as the store tells."""

    version: str = ""
    """Changes whenever the content does."""

    destination: str | None = None
    """Where a link leads."""

    def asdict(self) -> dict[str, Any]:
        """The entry as fsspec has it."""
        found: dict[str, Any] = {"name": self.name, "size": self.size, "type": self.type}
        if self.mtime is not None:
            found["mtime"] = self.mtime
        if self.version:
            found["version"] = self.version
        if self.destination is not None:
            found |= {"islink": True, "destination": self.destination}
        return found


class Source(Protocol):
    """One version of a file, open for reading."""

    entry: Entry

    def fetch(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to before ``end``; `FileChanged` if they are gone."""

    def close(self) -> None:
        """Nothing more will be read."""


class Store(Retry, ABC):
    """Where a home is.

    Every path is relative to the home's root, with no empty, ``.`` or ``..``
    part. Errors are `OSError`; a missing file is always `FileNotFoundError`.

    Parameters
    ----------
    url : str
        The home's root.
    secrets : Secrets
        The options of the store's filesystem, with references where secrets are.
    patience : float
        Seconds to go on asking a store that is busy or does not answer.
    """

    can: ClassVar[frozenset[str]] = frozenset()
    """What it offers, of `CAPABILITIES`."""

    block = 5 * 2**20
    """Bytes that are read at once, at least."""

    cache = "readahead"
    """Which of fsspec's caches stands before it."""

    width = 4
    """How many files are handled at once."""

    reserved = (PART, SWAP)

    def __init__(self, url: str, secrets: Secrets, patience: float) -> None:
        super().__init__(secrets, patience)
        self.url = url

    def url_of(self, path: str) -> str:
        """The URL under which other tools find a file."""
        return f"{self.url.rstrip('/')}/{path}" if path else self.url

    def check_name(self, path: str) -> None:
        """Raise `OSError` if the store cannot hold this name exactly as it is."""

    def make_root(self) -> None:
        """Make the home's root if the store needs one."""

    @abstractmethod
    def info(self, path: str) -> Entry:
        """What is at a path; a link within the home is followed."""

    @abstractmethod
    def entries(self, path: str) -> Iterator[Entry]:
        """What a directory holds; `NotADirectoryError` for a file."""

    def tree(self, path: str) -> Iterator[Entry]:
        """All that is below a directory, each directory before what it holds."""
        for entry in self.entries(path):
            yield entry
            if entry.type == "directory":
                yield from self.tree(entry.name)

    @abstractmethod
    def source(self, path: str) -> Source:
        """Open a file for reading."""

    def read(self, path: str, start: int | None, end: int | None) -> bytes:
        """Bytes of a file, all of one version, by the positions of a slice."""
        while True:
            source = self.source(path)
            try:
                first, last, _ = slice(start, end).indices(source.entry.size)
                return source.fetch(first, last) if first < last else b""
            except FileChanged:
                continue  # nobody has seen anything of it yet
            finally:
                source.close()

    def stage(self, path: str) -> IO[bytes]:
        """A private file to be written, in a form that `publish` takes."""
        return tempfile.SpooledTemporaryFile(MEMORY)

    def discard(self, staged: IO[bytes]) -> None:
        """Forget a staged file. Never raises."""
        staged.close()

    def publish(
        self,
        staged: IO[bytes],
        path: str,
        *,
        exclusive: bool = False,
        match: str | None = None,
    ) -> None:
        """Let a staged file appear at a path, under the conditions of `put`."""
        staged.seek(0)
        self.put(path, staged, exclusive=exclusive, match=match)
        staged.close()

    @abstractmethod
    def put(
        self, path: str, body: IO[bytes], *, exclusive: bool = False, match: str | None = None
    ) -> None:
        """Publish a whole file, and make the directories above it.

        Parameters
        ----------
        path : str
            Where.
        body : file
            What, from where it stands; it can be read more than once.
        exclusive : bool
            `FileExistsError` if there is anything at the path.
        match : str, optional
            `FileChanged` unless this is the version at the path.
        """

    def append(self, path: str, body: IO[bytes]) -> None:
        """Add to the end of a file, which is made if it is not there."""
        raise NotImplementedError

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Copy a file; the copy appears whole."""

    @abstractmethod
    def move(self, source: str, target: str) -> None:
        """Move a file, a link or a directory to exactly this path, which may be a file's."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file or a link."""

    @abstractmethod
    def make_directory(self, path: str) -> None:
        """Make a directory and those above it; `FileExistsError` if there is anything."""

    @abstractmethod
    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""

    @abstractmethod
    def remove_tree(self, path: str) -> None:
        """Remove a directory and all that it holds."""

    def touch(self, path: str) -> None:
        """Set the time of a file's last change to now."""
        raise NotImplementedError

    def lacks(self, capability: str) -> NotImplementedError:
        """The refusal of what this store does not offer."""
        return NotImplementedError(
            f"a home on {self.url.partition(':')[0]} does not offer {capability}: "
            f"{CAPABILITIES[capability]}"
        )


def open_store(url: str, secrets: Secrets, patience: float) -> Store:
    """The store of a URL, or of a local path. Nothing is asked of it yet."""
    if "://" not in url:
        url = "file://" + os.path.abspath(url)
    where = STORES.get(url.partition("://")[0].lower(), "fsspec_store:FsspecStore")
    store: Store = import_object(f"{__name__}.{where}")(url, secrets, patience)
    return store
