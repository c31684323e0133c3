"""Homes in this process's memory, on fsspec's memory filesystem."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, Any, TypeVar

from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import Entry
from greyhub.homespace.stores.errors import FileChanged, refusal
from greyhub.homespace.stores.objects import ObjectStore

T = TypeVar("T")

# All homes share fsspec's one dictionary, which has no lock of its own.
_LOCK = threading.RLock()
_FILES: dict[str, Any] = MemoryFileSystem.store
_FOLDERS: list[str] = MemoryFileSystem.pseudo_dirs


class MemoryStore(ObjectStore):
    """A prefix of the memory filesystem. It ends with the process."""

    can = ObjectStore.can - {"processes"}
    width = 1

    def __init__(self, url: str, secrets: Secrets, patience: float) -> None:
        super().__init__(url, secrets, patience)
        self.root = "/" + url.partition("://")[2].strip("/")

    def together(self, calls: Iterable[Any]) -> list[Any]:
        """The results of calls, one after the other: nothing is waited for."""
        with _LOCK:
            return [call() for call in calls]

    def put(self, path: str, body: IO[bytes], **condition: Any) -> None:
        """Check and put in one step."""
        with _LOCK:
            super().put(path, body, **condition)

    def append(self, path: str, body: IO[bytes]) -> None:
        """Read and put in one step."""
        with _LOCK:
            super().append(path, body)

    def move(self, source: str, target: str) -> None:
        """Copy and delete in one step."""
        with _LOCK:
            super().move(source, target)

    def head(self, path: str) -> Entry | None:
        """The file of exactly this path."""
        found = _FILES.get(self.key(path))
        return None if found is None else _entry(path, found)

    def below(self, path: str, *, deep: bool) -> Iterator[Entry]:
        """Files and empty directories below a path."""
        prefix = self.key(path) + "/"
        with _LOCK:
            entries = [_entry(self.path(k), v) for k, v in _FILES.items() if k.startswith(prefix)]
            entries += [
                Entry(self.path(each), "directory")
                for each in _FOLDERS
                if f"{each}/".startswith(prefix)
            ]
        start = len(path) + 1 if path else 0
        for each in entries:
            first, more, _ = each.name[start:].partition("/")
            yield each if deep or not more else Entry(each.name[:start] + first, "directory")

    def get(self, path: str, start: int, end: int | None, version: str = "") -> bytes:
        """Bytes of a file."""
        found = _FILES.get(self.key(path))
        if found is None:
            raise refusal(errno.ENOENT, path)
        if version and _entry(path, found).version != version:
            raise FileChanged(path=path)
        return bytes(found.getbuffer()[start:end])

    def upload(self, path: str, body: IO[bytes], exclusive: bool, match: str | None) -> None:
        """Put a file."""
        file = MemoryFile(MemoryFileSystem(), self.key(path), body.read())
        with _LOCK:
            old = self.head(path)
            if exclusive and old is not None:
                raise refusal(errno.EEXIST, path)
            if match is not None and (old is None or old.version != match):
                raise FileChanged(path=path)
            file.modified = datetime.now(UTC)
            _FILES[self.key(path)] = file

    def copy_object(self, source: Entry, target: str) -> None:
        """Copy this version of a file."""
        content = self.get(source.name, 0, None, source.version)
        _FILES[self.key(target)] = MemoryFile(MemoryFileSystem(), self.key(target), content)

    def delete(self, entries: Iterable[Entry]) -> None:
        """Delete files and marked directories."""
        with _LOCK:
            for each in entries:
                key = self.key(each.name)
                if each.type == "directory":
                    _FOLDERS[:] = [folder for folder in _FOLDERS if folder != key]
                else:
                    _FILES.pop(key, None)

    def mark(self, path: str) -> None:
        """Note an empty directory."""
        with _LOCK:
            if self.key(path) not in _FOLDERS:
                _FOLDERS.append(self.key(path))


def _entry(path: str, file: Any) -> Entry:
    changed = file.modified.timestamp()
    return Entry(path, "file", file.size, changed, f"{id(file):x}-{changed}")
