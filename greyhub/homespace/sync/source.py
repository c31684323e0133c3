"""Read a file for an upload as it was at one moment, or not at all.

A file may be written while it is read. `Source.seal` is called when all of it
has been read and before anything is published, and raises `Unstable` if what was
read never was the content of the file.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from greyhub.homespace.sync import user_databases
from greyhub.homespace.sync.records import Seen
from greyhub.homespace.sync.scan import seen_file

CHUNK: Final = 1 << 20

HELD: Final = 16 << 20
"""Bytes up to which a file is read at once: with a large one, its store gets to see its parts."""

OFTEN: Final = 30
"""Readings of a file that is held and goes on changing, after which it is left to rest."""

TICK: Final = 20_000_000
"""Nanoseconds in which a second change may leave the times of a file as they are."""


class Unstable(Exception):
    """The file was changed while it was read: try again when it rests."""


class LocalTrouble(Exception):
    """The local disk does not do what it was asked: the store is not to blame."""


class Source(Protocol):
    """What a store's ``put`` reads: all chunks, then the seal, then it publishes."""

    size: int

    def chunks(self, length: int = CHUNK) -> Iterator[bytes]:
        """The content, in pieces of this length but for the last."""

    def seal(self) -> str:
        """The digest of what was read; raises `Unstable` if it must not be published."""


class Content:
    """Bytes that are in memory."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def chunks(self, length: int = CHUNK) -> Iterator[bytes]:
        """The content in pieces."""
        for start in range(0, self.size, length):
            yield self.data[start : start + length]

    def seal(self) -> str:
        """The digest."""
        return hashlib.sha256(self.data).hexdigest()


class Stable:
    """A local file, read as it was at one moment.

    Parameters
    ----------
    path : Path
        A regular file; links are not followed.
    sealed : Callable[[str], None]
        Called with the digest just before it may be published.

    Raises
    ------
    OSError
        It cannot be read, or is not a regular file.
    """

    def __init__(self, path: Path, sealed: Callable[[str], None] | None = None) -> None:
        self.path, self.sealed = path, sealed
        self.result = ""
        """The digest of what was read and sealed last."""
        self._file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(self._file)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{path} is not a regular file any more")
            self.seen = _sure(seen_file(str(path), status, alone=True))
            self.size, self._times = status.st_size, _times(status)
            self._digest = hashlib.sha256()
            self._held = self._moment() if self.size <= HELD else None
            if self._held is not None:
                self.close()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the file go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Stable:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def chunks(self, length: int = CHUNK) -> Iterator[bytes]:
        """The content in pieces; may be asked for again, from the start."""
        if self._held is not None:
            yield from Content(self._held).chunks(length)
            return
        self._digest = hashlib.sha256()
        for piece in self._read(length):
            self._digest.update(piece)
            yield piece

    def seal(self) -> str:
        """The digest, if what was read was the content of the file at some moment."""
        if self._held is not None:
            return self._done(self.result or hashlib.sha256(self._held).hexdigest())
        digest = self._digest.hexdigest()
        if not self._still():
            again = hashlib.sha256()
            for piece in self._read(CHUNK):
                again.update(piece)
            if again.hexdigest() != digest:
                raise Unstable(f"{self.path} is being written")
            self.seen = replace(self.seen, ctime=-1)
        return self._done(digest)

    def _done(self, digest: str) -> str:
        self.result = digest
        if self.sealed:
            self.sealed(digest)
        return digest

    def digest(self) -> str:
        """Read it all, for its digest only."""
        for _ in self.chunks():
            pass
        return self.seal()

    def _moment(self) -> bytes:
        """All of it, as it was at one moment."""
        found = self._whole()
        if self._still():
            return found
        for _ in range(OFTEN):
            again = self._whole()
            if again == found:
                self.seen = replace(self.seen, ctime=-1)
                return found
            found = again
        raise Unstable(f"{self.path} is being written")

    def _still(self) -> bool:
        """Whether nobody has written it since it was opened.

        If not, it is read again: what is the same twice was so in between. A log
        that only grows is taken as far as it was.
        """
        return self.seen.ctime != -1 and _times(os.fstat(self._file)) == self._times

    def _whole(self) -> bytes:
        return b"".join(self._read(max(1, self.size)))

    def _read(self, length: int) -> Iterator[bytes]:
        start = 0
        while start < self.size:
            wanted = min(length, self.size - start)
            pieces, got = [], 0
            while got < wanted:
                try:
                    piece = os.pread(self._file, wanted - got, start + got)
                except OSError as error:
                    raise LocalTrouble(f"{self.path} cannot be read: {error.strerror}") from error
                if not piece:
                    raise Unstable(f"{self.path} was made shorter")
                pieces.append(piece)
                got += len(piece)
            start += got
            yield pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Database(Stable):
    """A sqlite database in use: a snapshot of its last commit, its log included.

    Parameters
    ----------
    path : Path
        The database.
    scratch : Path
        Where the snapshot is made; it is gone after `close`.
    """

    def __init__(
        self, path: Path, scratch: Path, sealed: Callable[[str], None] | None = None
    ) -> None:
        seen = _sure(seen_file(str(path), os.lstat(path)))
        self._copy = scratch / f"{os.getpid()}-{time.monotonic_ns()}.db"
        try:
            user_databases.snapshot(path, self._copy)
            super().__init__(self._copy, sealed)
        except user_databases.InUse as error:
            self._remove()
            raise Unstable(f"the database {path} cannot be read now: {error}") from error
        except BaseException:
            self._remove()
            raise
        self.seen = seen

    def _still(self) -> bool:
        return True  # nobody else writes the snapshot

    def close(self) -> None:
        """Let the snapshot go."""
        super().close()
        self._remove()

    def _remove(self) -> None:
        user_databases.delete(self._copy)


def open_source(
    path: Path, seen: Seen, scratch: Path, sealed: Callable[[str], None] | None = None
) -> Stable:
    """The content of a local file, ready to be read."""
    return Database(path, scratch, sealed) if seen.beside else Stable(path, sealed)


def _times(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _sure(seen: Seen) -> Seen:
    """The same, but unlike any other if a change could still hide in the clock's tick."""
    return seen if time.time_ns() - seen.ctime > TICK else replace(seen, ctime=-1)
