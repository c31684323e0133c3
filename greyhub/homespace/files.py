"""The file objects of a home: readers of one version, writers that publish atomically."""

from __future__ import annotations

import io
import warnings
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

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


class _Kept(io.RawIOBase):
    """A file that is not closed together with what writes into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self.file.write(data)

    def tell(self) -> int:
        return self.file.tell()


class Writer(io.BufferedIOBase):
    """A file of a home, open for writing. It is published when it is closed.

    Nothing is published if the ``with`` block raises, or if the file is never
    closed, of which a warning tells. Within a transaction it is published at the
    transaction's end.
    """

    def __init__(
        self,
        home: AbstractFileSystem,
        path: str,
        store: Store,
        mode: str,
        autocommit: bool = True,
        match: str | None = None,
        encoder: str | None = None,
    ) -> None:
        self.fs, self.path, self.mode, self.autocommit = home, path, mode, autocommit
        self._store, self._match = store, match
        self._staged: IO[bytes] | None = None
        self._offset = home.size(path) if mode == "ab" and home.exists(path) else 0
        # An appended part is sent on its own, so it is never staged beside the file.
        self._staged = store.stage("" if mode == "ab" else path)
        self._into: Any = self._staged
        if encoder is not None:
            from fsspec.compression import compr

            self._into = compr[encoder](_Kept(self._staged), mode="w")

    @property
    def full_name(self) -> str:
        """The URL of the file."""
        return str(self.fs.unstrip_protocol(self.path))

    def readable(self) -> bool:
        """Never."""
        return False

    def writable(self) -> bool:
        """Until it is closed."""
        return not self.closed

    def seekable(self) -> bool:
        """Anywhere in a new file that is not compressed; an appended part grows at its end."""
        return self._into is self._staged and self.mode != "ab"

    def write(self, data: Any) -> int:
        """Write bytes where the file stands."""
        self._check()
        self._into.write(data)
        return memoryview(data).nbytes

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position."""
        self._check()
        if not self.seekable():
            raise io.UnsupportedOperation("seek")
        assert self._staged is not None
        return self._staged.seek(offset, whence)

    def tell(self) -> int:
        """The position; of an appended part, in the whole file."""
        self._check()
        return self._offset + int(self._into.tell())

    def truncate(self, size: int | None = None) -> int:
        """Cut what is written so far."""
        self._check()
        if not self.seekable():
            raise io.UnsupportedOperation("truncate")
        assert self._staged is not None
        return self._staged.truncate(size)

    def flush(self) -> None:
        """Nothing: a file is published whole."""

    def _check(self) -> None:
        if self.closed or self._staged is None:
            raise ValueError("I/O operation on closed file.")

    def close(self) -> None:
        """Publish the file; in a transaction, leave that to its end."""
        if self.closed:
            return
        super().close()
        try:
            if self._into is not self._staged:
                self._into.close()
        except BaseException:
            self.discard()
            raise
        if self.autocommit:
            self.commit()

    def commit(self) -> None:
        """Publish the file."""
        if self._staged is None:
            return
        if not self.closed:
            self.autocommit = False
            self.close()
        staged, self._staged = self._staged, None
        try:
            if self.mode == "ab":
                staged.seek(0)
                self._store.append(self.path, staged)
                self._store.discard(staged)
            else:
                exclusive = self.mode == "xb"
                self._store.publish(staged, self.path, exclusive=exclusive, match=self._match)
        except BaseException:
            self._store.discard(staged)
            raise

    def discard(self) -> None:
        """Close the file and forget it."""
        super().close()
        if self._staged is not None:
            staged, self._staged = self._staged, None
            self._store.discard(staged)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close() if kind is None else self.discard()

    def __del__(self) -> None:
        if not self.closed and getattr(self, "_staged", None) is not None:
            warnings.warn(
                f"{self.path!r} was never closed, so nothing of it was saved: "
                "write with `with home.open(...) as file:`",
                RuntimeWarning,
                stacklevel=2,
            )
            self.discard()


class TextWriter(io.TextIOWrapper):
    """A text file of a home, open for writing; published like its bytes."""

    buffer: Writer  # type: ignore[assignment]

    def commit(self) -> None:
        """Publish the file."""
        self.flush()
        self.buffer.commit()

    def discard(self) -> None:
        """Close the file and forget it."""
        self.buffer.discard()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close() if kind is None else self.discard()

    def __del__(self) -> None:
        # TextIOWrapper would close the bytes, and so publish them.
        if not self.buffer.closed:
            self.buffer.__del__()
