"""A file of a home, open for writing: it is published when it is closed, whole or not at all."""

from __future__ import annotations

import io
import warnings
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from greyhub.homespace.stores import Store


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


class _Published:
    """Published at the end of a ``with`` block, and forgotten where the block raises."""

    def __exit__(
        self: Any,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close() if kind is None else self.discard()


class Writer(_Published, io.BufferedIOBase):
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

    def __del__(self) -> None:
        if not self.closed and getattr(self, "_staged", None) is not None:
            warnings.warn(
                f"{self.path!r} was never closed, so nothing of it was saved: "
                "write with `with home.open(...) as file:`",
                RuntimeWarning,
                stacklevel=2,
            )
            self.discard()


class TextWriter(_Published, io.TextIOWrapper):
    """A text file of a home, open for writing; published like its bytes."""

    buffer: Writer  # type: ignore[assignment]

    def commit(self) -> None:
        """Publish the file."""
        self.flush()
        self.buffer.commit()

    def discard(self) -> None:
        """Close the file and forget it."""
        self.buffer.discard()

    def __del__(self) -> None:
        # TextIOWrapper would close the bytes, and so publish them.
        if not self.buffer.closed:
            self.buffer.__del__()
