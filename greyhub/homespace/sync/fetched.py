"""What an object is fetched into, with its digest: memory, the local disk, or nothing."""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO, cast

from greyhub.homespace.sync.context import SyncContext
from greyhub.homespace.sync.source import LocalTrouble


class InMemory:
    """Keeps what is written to it in memory, and the digest."""

    def __init__(self) -> None:
        self.data, self.digest = b"", hashlib.sha256()

    def write(self, data: bytes) -> int:
        """The next bytes of the content: of a small object, all of it."""
        self.digest.update(data)
        self.data = self.data + data if self.data else data
        return len(data)


class OnDisk:
    """Writes into a file of the local disk and keeps the digest."""

    def __init__(self, handle: int) -> None:
        self.handle, self.digest = handle, hashlib.sha256()
        self._end = 0
        self._there: set[int] = set()

    def write(self, data: bytes) -> int:
        """The next bytes of the content."""
        self.digest.update(data)
        if self._end not in self._there:
            self._put(data, self._end)
        self._end += len(data)
        return len(data)

    def ahead(self, data: bytes, start: int) -> None:
        """Bytes that will be the next ones in their turn: on the disk they can be before."""
        self._put(data, start)
        self._there.add(start)

    def _put(self, data: bytes, start: int) -> None:
        left = memoryview(data)
        try:
            while left:
                done = os.pwrite(self.handle, left, start)
                left, start = left[done:], start + done
        except OSError as error:
            raise LocalTrouble(f"the local disk: {error.strerror}") from error


def digest_of(context: SyncContext, key: str, tag: str, size: int) -> str:
    """The digest of an object, by reading it."""
    reader = DigestOnly()
    context.store.fetch(key, tag, cast(BinaryIO, reader), size)
    return reader.digest.hexdigest()


class DigestOnly:
    """A file that keeps nothing of what is written to it but the digest."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """The next bytes of the content."""
        self.digest.update(data)
        return len(data)
