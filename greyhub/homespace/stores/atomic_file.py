"""Files on a local disk that are written under a temporary name and renamed into place."""

from __future__ import annotations

import fcntl
import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from greyhub.homespace.stores import PART

_MAKE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class AtomicFile(io.BufferedRandom):
    """A hidden file in a directory, locked for as long as its writer lives.

    Parameters
    ----------
    directory : int
        A descriptor of the directory; it is duplicated.
    """

    def __init__(self, directory: int) -> None:
        self.directory = os.dup(directory)
        try:
            self.hidden, file = self._make()
        except BaseException:
            os.close(self.directory)
            raise
        super().__init__(io.FileIO(file, "r+b"))

    def _make(self) -> tuple[str, int]:
        while True:
            hidden = f"{PART}{uuid.uuid4().hex}"
            file = os.open(hidden, _MAKE, 0o666, dir_fd=self.directory)
            with suppress(OSError):  # a disk without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                return hidden, file
            os.close(file)  # it was taken for a leftover before it could be locked

    def rename(self, name: str, directory: int) -> None:
        """Take the place of a name."""
        os.rename(self.hidden, name, src_dir_fd=self.directory, dst_dir_fd=directory)

    def link(self, name: str, directory: int) -> None:
        """Take a name that nobody has; `FileExistsError` if somebody does."""
        os.link(self.hidden, name, src_dir_fd=self.directory, dst_dir_fd=directory)
        self.unlink()

    def unlink(self) -> None:
        """Be gone, if it has no other name."""
        os.unlink(self.hidden, dir_fd=self.directory)

    def close(self) -> None:
        """Close the file and the directory."""
        if not self.closed:
            try:
                super().close()
            finally:
                os.close(self.directory)


def reap(name: str, directory: int) -> None:
    """Remove a hidden file if nobody holds its lock."""
    with suppress(OSError):
        file = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=directory)
        finally:
            os.close(file)


@contextmanager
def locked(directory: int) -> Iterator[bool]:
    """Be the only home that renames within a directory; false where there are no locks."""
    try:
        opened = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(opened)
