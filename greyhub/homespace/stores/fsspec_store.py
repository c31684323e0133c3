"""Homes on any other fsspec filesystem.

Nothing is known of such a store but fsspec's common methods, so little is
promised: a file is sent when it is complete, names are taken as they are, and no
listing is remembered. Whether readers see half of a file is up to the store.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from fsspec.core import get_filesystem_class, url_to_fs

from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import Entry, Source, Store
from greyhub.homespace.stores.errors import FileChanged, refusal

_STALE = ("simplecache", "filecache", "blockcache")


class FsspecStore(Store):
    """A directory of a filesystem that fsspec opens."""

    can = frozenset({"processes"})

    def __init__(self, url: str, secrets: Secrets, patience: float) -> None:
        super().__init__(url, secrets, patience)
        protocols = url.partition("://")[0].split("::")
        if found := [each for each in protocols if each in _STALE]:
            raise ValueError(f"a home is no place for a cache, which shows old files: {found[0]}")
        get_filesystem_class(protocols[0])

    def connect(self) -> Any:
        """The filesystem, nobody else's and without a memory, and the home's path on it."""
        options = {"skip_instance_cache": True, "use_listings_cache": False, **self.secrets.read()}
        return url_to_fs(self.url, **options)

    def at(self, path: str) -> tuple[Any, str]:
        """The filesystem as it is now, and a path on it."""
        filesystem, root = self.client
        filesystem.invalidate_cache()
        return filesystem, f"{root.rstrip('/')}/{path}" if path else root

    def make_root(self) -> None:
        """Make the directory."""
        filesystem, root = self.at("")
        filesystem.makedirs(root, exist_ok=True)

    def _entry(self, path: str, found: dict[str, Any]) -> Entry:
        kind: Any = found["type"] if found["type"] in ("file", "directory", "link") else "other"
        version = found.get("ETag") or found.get("etag") or found.get("mtime") or found.get("md5")
        changed = found.get("mtime")
        mtime = float(changed) if isinstance(changed, int | float) else None
        return Entry(path, kind, found.get("size") or 0, mtime, str(version or ""))

    def info(self, path: str) -> Entry:
        """What is at a path."""
        filesystem, full = self.at(path)
        return self._entry(path, filesystem.info(full))

    def entries(self, path: str) -> Iterator[Entry]:
        """What a directory holds."""
        if path and self.info(path).type != "directory":
            raise refusal(errno.ENOTDIR, path)
        filesystem, full = self.at(path)
        for found in filesystem.ls(full, detail=True):
            name = found["name"].rstrip("/").rpartition("/")[2]
            if found["name"].rstrip("/") != full.rstrip("/"):
                yield self._entry(f"{path}/{name}" if path else name, found)

    def source(self, path: str) -> Source:
        """Open a file."""
        entry = self.info(path)
        if entry.type == "directory":
            raise refusal(errno.EISDIR, path)
        return FsspecSource(self, entry)

    def put(
        self, path: str, body: IO[bytes], *, exclusive: bool = False, match: str | None = None
    ) -> None:
        """Send a complete file."""
        if exclusive or match is not None:
            raise self.lacks("exclusive_create" if exclusive else "conditional_write")
        self._make_way(path)
        filesystem, full = self.at(path)
        if filesystem.isdir(full):
            raise refusal(errno.EISDIR, path)
        with filesystem.open(full, "wb") as file:
            while chunk := body.read(self.block):
                file.write(chunk)

    def _make_way(self, path: str) -> None:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            filesystem, full = self.at(above := "/".join(parts[:depth]))
            if filesystem.isfile(full):
                raise refusal(errno.ENOTDIR, above)
        if len(parts) > 1:
            filesystem.makedirs(full, exist_ok=True)

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""
        opened = self.source(source)
        with self.stage(target) as body:
            for start in range(0, opened.entry.size, self.block):
                body.write(opened.fetch(start, start + self.block))
            body.seek(0)
            self.put(target, body)

    def move(self, source: str, target: str) -> None:
        """Copy, then remove."""
        if self.info(source).type != "directory":
            self.copy(source, target)
            return self.remove(source)
        entries = list(self.tree(source))
        for each in entries:
            name = target + each.name[len(source) :]
            self.copy(each.name, name) if each.type == "file" else self._make(name)
        self._make(target)
        self.remove_tree(source)

    def _make(self, path: str) -> None:
        with suppress(FileExistsError):
            self.make_directory(path)

    def remove(self, path: str) -> None:
        """Remove a file."""
        if self.info(path).type == "directory":
            raise refusal(errno.EISDIR, path)
        filesystem, full = self.at(path)
        filesystem.rm_file(full)

    def make_directory(self, path: str) -> None:
        """Make a directory and those above it."""
        self._make_way(path)
        filesystem, full = self.at(path)
        filesystem.makedirs(full, exist_ok=False)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        if next(self.entries(path), None) is not None:
            raise refusal(errno.ENOTEMPTY, path)
        filesystem, full = self.at(path)
        filesystem.rmdir(full)

    def remove_tree(self, path: str) -> None:
        """Remove a directory and all that it holds, one by one: no name is a pattern."""
        if self.info(path).type != "directory":
            raise refusal(errno.ENOTDIR, path)
        for each in sorted(self.tree(path), key=lambda entry: -entry.name.count("/")):
            if each.type == "directory":
                filesystem, full = self.at(each.name)
                with suppress(FileNotFoundError):
                    filesystem.rmdir(full)
            else:
                self.remove(each.name)
        filesystem, full = self.at(path)
        with suppress(FileNotFoundError):
            filesystem.rmdir(full)


class FsspecSource:
    """A file; it is noticed if another one takes its place."""

    def __init__(self, store: FsspecStore, entry: Entry) -> None:
        self.store, self.entry = store, entry

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes of the file."""
        filesystem, full = self.store.at(self.entry.name)
        end = min(end, self.entry.size)
        content: bytes = filesystem.cat_file(full, start, end) if start < end else b""
        if self.store.info(self.entry.name).version != self.entry.version:
            raise FileChanged(path=self.entry.name)
        return content

    def close(self) -> None:
        """Nothing is held open."""
