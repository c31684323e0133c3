"""A file of a home, open for reading: it stays the version that was opened."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from greyhub.homespace.stores import Source, Store


class _Fetching(io.RawIOBase):
    """A source behind one of fsspec's caches."""

    def __init__(self, source: Source, block: int, cache: str, options: dict[str, Any]) -> None:
        from fsspec.caching import caches

        self.source, self.size = source, source.entry.size
        self.cache = caches[cache](block, source.fetch, self.size, **options)
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        to = offset + (0, self.at, self.size)[whence]
        if to < 0:
            raise ValueError(f"seek to {to}: a file begins at 0")
        self.at = to
        return to

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        found = self.cache._fetch(self.at, min(self.at + len(view), self.size))
        view[: len(found)] = found
        self.at += len(found)
        return len(found)

    def readall(self) -> bytes:
        found: bytes = self.source.fetch(self.at, self.size)
        self.at += len(found)
        return found

    def close(self) -> None:
        if not self.closed:
            self.source.close()
        super().close()


class Reader(io.BufferedReader):
    """A file of a home, open for reading. It stays the version that was opened.

    Parameters
    ----------
    home : AbstractFileSystem
        Where it is.
    path : str
        Its path.
    store : Store
        The home's store.
    block_size : int, optional
        Bytes to fetch at once.
    cache_type, cache_options
        One of fsspec's read caches; by default ``readahead``, and none on a local disk.
    """

    mode = "rb"

    def __init__(
        self,
        home: AbstractFileSystem,
        path: str,
        store: Store,
        block_size: int | None = None,
        cache_type: str | None = None,
        cache_options: dict[str, Any] | None = None,
    ) -> None:
        self.fs, self.path = home, path
        source = store.source(path)
        self.details = source.entry.asdict()
        self.size = source.entry.size
        kind = cache_type or store.cache
        block = block_size if isinstance(block_size, int) and block_size > 0 else store.block
        super().__init__(_Fetching(source, block, kind, cache_options or {}), 2**17)

    @property
    def full_name(self) -> str:
        """The URL of the file."""
        return str(self.fs.unstrip_protocol(self.path))

    def info(self) -> dict[str, Any]:
        """What the store said of the file as it was opened."""
        return self.details

    def __reduce__(self) -> Any:
        return _reopen, (self.fs, self.path, self.tell())


def _reopen(home: AbstractFileSystem, path: str, position: int) -> Any:
    file = home.open(path, "rb")
    file.seek(position)
    return file
