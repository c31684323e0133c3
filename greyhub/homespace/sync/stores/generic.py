"""Any fsspec filesystem as a store, checked before each write.

The check and the write are two requests here. Stores whose API joins them have
a module of their own.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from greyhub.homespace.sync.keys import PARTS
from greyhub.homespace.sync.stores.base import ABSENT, Changed, Found

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from greyhub.homespace.sync.source import Source

WHOLE: Final = frozenset({"memory", "gs", "gcs", "oci", "oss"})
"""Filesystems whose ``pipe_file`` shows the old object or the new one, nothing else."""

SMALL: Final = 8 << 20

_MEMORY = threading.Lock()


class FsspecStore:
    """A home on a fsspec filesystem.

    Parameters
    ----------
    filesystem : fsspec.AbstractFileSystem
        It must not answer from a cache.
    root : str
        The home's path on it.
    """

    def __init__(self, filesystem: AbstractFileSystem, root: str) -> None:
        self.filesystem, self.root = filesystem, root.rstrip("/")
        protocols = filesystem.protocol
        names = {protocols} if isinstance(protocols, str) else set(protocols)
        self.whole = bool(names & WHOLE)
        self.name = f"{sorted(names)[0]}://{self.root.lstrip('/')}"
        # All of memory is one process: there, a lock makes check and write one.
        self._guard: AbstractContextManager[Any] = _MEMORY if "memory" in names else nullcontext()

    def _full(self, key: str) -> str:
        return f"{self.root}/{key}"

    def _key(self, path: str) -> str:
        return path.lstrip("/").removeprefix(self.root.lstrip("/")).lstrip("/")

    def list(self, prefix: str = "") -> Iterator[Found]:
        """All files whose key begins so."""
        self.filesystem.invalidate_cache()
        top = self._full(prefix.rpartition("/")[0]).rstrip("/")
        try:
            listing = self.filesystem.find(top, detail=True)
        except FileNotFoundError:
            # What is not there has nothing in it, if the store says so of its parent.
            if self.filesystem.exists(self.root):
                return
            raise
        for path, info in listing.items():
            key = self._key(path)
            if info["type"] == "file" and key.startswith(prefix) and not key.startswith(PARTS):
                yield _found(key, info)

    def find(self, key: str) -> Found | None:
        """One file."""
        return self._look(key)

    def _look(self, key: str) -> Found | None:
        self.filesystem.invalidate_cache()
        try:
            info = self.filesystem.info(self._full(key))
        except FileNotFoundError:
            return None
        return _found(key, info) if info["type"] == "file" else None

    def fetch(self, key: str, tag: str | None, into: BinaryIO, size: int = 0) -> str:
        """Read a file, if it is the same before and after."""
        found = self._expect(key, tag)
        if found is None:
            raise FileNotFoundError(f"{self.name}/{key}")
        if found.size <= SMALL:
            into.write(self.filesystem.cat_file(self._full(key)))
        else:
            with self.filesystem.open(self._full(key), "rb") as file:
                while piece := file.read(SMALL):
                    into.write(piece)
        self._expect(key, found.tag)
        return found.tag

    def put(self, key: str, source: Source, expect: str | None) -> str:
        """Write under another name and rename, where a write can be seen half done."""
        if self.whole and source.size <= SMALL:
            return self._put_small(key, source, expect)
        self._expect(key, expect)
        if self.whole:
            return self._put_whole(key, source, expect)
        part = self._full(PARTS + secrets.token_hex(8))
        self.filesystem.makedirs(part.rpartition("/")[0], exist_ok=True)
        try:
            with self.filesystem.open(part, "wb") as file:
                for piece in source.chunks():
                    file.write(piece)
            source.seal()
            self._expect(key, expect)
            self._move(part, self._full(key))
        except BaseException:
            with suppress(Exception):
                self.filesystem.rm_file(part)
            raise
        return self._tag(key)

    def _put_small(self, key: str, source: Source, expect: str | None) -> str:
        data = b"".join(source.chunks(SMALL))
        source.seal()
        with self._guard:
            self._expect(key, expect)
            self._pipe(key, data, expect)
            return self._tag(key)

    def _put_whole(self, key: str, source: Source, expect: str | None) -> str:
        file = self.filesystem.open(self._full(key), "wb", autocommit=False)
        try:
            with file:
                for piece in source.chunks():
                    file.write(piece)
            source.seal()
            with self._guard:
                self._expect(key, expect)
                file.commit()
                return self._tag(key)
        except BaseException:
            with suppress(Exception):
                file.discard()
            raise

    def _pipe(self, key: str, data: bytes, expect: str | None) -> None:
        self.filesystem.pipe_file(self._full(key), data)

    def copy(self, key: str, tag: str, to: str) -> str:
        """Copy a file; what is copied and what is replaced are as expected."""
        with self._guard:
            self._expect(key, tag)
            self._expect(to, ABSENT)
            self.filesystem.makedirs(self._full(to).rpartition("/")[0], exist_ok=True)
            self.filesystem.cp_file(self._full(key), self._full(to))
            return self._tag(to)

    def delete(self, key: str, expect: str | None) -> None:
        """Delete a file, if it is as expected; its empty folders go with it."""
        with self._guard:
            found = self.find(key)
            if found is None:
                return
            if expect not in (None, found.tag):
                raise Changed(key)
            with suppress(FileNotFoundError):
                self.filesystem.rm_file(self._full(key))
        folder = key.rpartition("/")[0]
        while folder:
            try:
                self.filesystem.rmdir(self._full(folder))
            except Exception:  # it is not empty, or this store has no folders
                break
            folder = folder.rpartition("/")[0]

    def _move(self, source: str, target: str) -> None:
        self.filesystem.makedirs(target.rpartition("/")[0], exist_ok=True)
        try:
            self.filesystem.mv(source, target)
        except FileExistsError:  # a protocol whose rename does not replace
            self.filesystem.rm_file(target)
            self.filesystem.mv(source, target)

    def _expect(self, key: str, expect: str | None) -> Found | None:
        found = self._look(key)
        if expect is not None and (found.tag if found else ABSENT) != expect:
            raise Changed(key)
        return found

    def _tag(self, key: str) -> str:
        found = self._look(key)
        if found is None:
            raise OSError(f"{self.name}/{key} was written and is not there")
        return found.tag


def _found(key: str, info: Mapping[str, Any]) -> Found:
    when = next((info[name] for name in TIMES if info.get(name)), 0)
    mtime = _nanoseconds(when)
    size = int(info.get("size") or 0)
    for name in TAGS:
        if info.get(name):
            return Found(key, size, str(info[name]).strip('"'), mtime)
    return Found(key, size, f"{size}-{mtime}", mtime)


TAGS: Final = ("ETag", "etag", "e_tag", "md5Hash", "generation", "checksum", "version")
TIMES: Final = ("mtime", "LastModified", "last_modified", "modified", "updated", "created")


def _nanoseconds(when: Any) -> int:
    if isinstance(when, datetime):
        return int(when.timestamp() * 1_000_000) * 1000
    try:
        return int(float(when) * 1_000_000) * 1000
    except (TypeError, ValueError):
        return int(_parsed(when) * 1_000_000) * 1000


def _parsed(when: Any) -> float:
    try:
        return datetime.fromisoformat(str(when)).timestamp()
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            return parsedate_to_datetime(str(when)).timestamp()
        except (TypeError, ValueError):
            return 0.0
