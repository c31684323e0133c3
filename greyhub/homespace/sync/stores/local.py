"""A store that is a directory: a disk, or a network file system."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from greyhub.homespace.sync.keys import PARTS, RESERVED
from greyhub.homespace.sync.stores.base import ABSENT, Changed, Found

if TYPE_CHECKING:
    from greyhub.homespace.sync.source import Source


class LocalStore:
    """A home that is kept in a directory.

    Parameters
    ----------
    root : str
        The directory. It is made by the first ``put`` only if the directory that
        it stands in is there: a mount that is missing is not made up for.
    """

    def __init__(self, root: str) -> None:
        self.root = Path(root)
        self.name = f"file://{root}"

    def list(self, prefix: str = "") -> Iterator[Found]:
        """All files whose key begins so."""
        top = prefix.rpartition("/")[0]
        if not self.root.is_dir():
            raise OSError(f"the store {self.root} is not there")
        for found in self._walk(top):
            if found.key.startswith(prefix) and not found.key.startswith(PARTS):
                yield found

    def _walk(self, top: str) -> Iterator[Found]:
        try:
            with os.scandir(self.root / top) as entries:
                children = list(entries)
        except FileNotFoundError:
            return
        for child in children:
            key = f"{top}/{child.name}" if top else child.name
            if child.is_dir(follow_symlinks=False):
                yield from self._walk(key)
            elif child.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    yield self._found(key, child.stat(follow_symlinks=False))

    def find(self, key: str) -> Found | None:
        """One file."""
        try:
            status = os.lstat(self.root / key)
        except (FileNotFoundError, NotADirectoryError):
            if not self.root.is_dir():
                raise OSError(f"the store {self.root} is not there") from None
            return None
        return self._found(key, status)

    def _found(self, key: str, status: os.stat_result) -> Found:
        tag = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"
        return Found(key, status.st_size, tag, status.st_mtime_ns)

    def fetch(self, key: str, tag: str | None, into: BinaryIO, size: int = 0) -> str:
        """Read a file; one that is replaced meanwhile is still read whole."""
        try:
            with open(self.root / key, "rb") as file:
                found = self._found(key, os.fstat(file.fileno())).tag
                if tag not in (None, found):
                    raise Changed(key)
                shutil.copyfileobj(file, into, 1 << 20)
                if self._found(key, os.fstat(file.fileno())).tag != found:
                    raise Changed(key)  # somebody writes it in place
        except NotADirectoryError as error:
            raise FileNotFoundError(key) from error
        return found

    def put(self, key: str, source: Source, expect: str | None) -> str:
        """Write a file beside, then rename it into its place."""
        self._expect(key, expect)
        part = self._part()
        try:
            with open(part, "xb") as file:
                for piece in source.chunks():
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            source.seal()
            return self._publish(part, key, expect)
        finally:
            part.unlink(missing_ok=True)

    def copy(self, key: str, tag: str, to: str) -> str:
        """Copy a file."""
        part = self._part()
        try:
            with open(part, "xb") as file:
                self.fetch(key, tag, file)
                file.flush()
                os.fsync(file.fileno())
            return self._publish(part, to, ABSENT)
        finally:
            part.unlink(missing_ok=True)

    def delete(self, key: str, expect: str | None) -> None:
        """Delete a file, and the folders that it leaves empty."""
        with self._locked():
            found = self.find(key)
            if found is None:
                return
            if expect not in (None, found.tag):
                raise Changed(key)
            (self.root / key).unlink(missing_ok=True)
        for folder in (self.root / key).parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def _expect(self, key: str, expect: str | None) -> None:
        if expect is None:
            return
        found = self.find(key) if self.root.exists() else None
        if (found.tag if found else ABSENT) != expect:
            raise Changed(key)

    def _publish(self, part: Path, key: str, expect: str | None) -> str:
        target = self.root / key
        with self._locked():
            self._expect(key, expect)
            for _ in range(10):
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.replace(part, target)
                except FileNotFoundError:
                    continue  # the folder went, as a delete left it empty
                break
            return self._found(key, os.lstat(target)).tag

    def _part(self) -> Path:
        parts = self.root / PARTS
        if not self.root.parent.is_dir():
            raise OSError(f"{self.root.parent} is not there")
        parts.mkdir(parents=True, exist_ok=True, mode=0o700)
        return parts / secrets.token_hex(8)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # What is checked must still be so when it is renamed, for all who write here.
        if not self.root.is_dir():
            raise OSError(f"the store {self.root} is not there")
        (self.root / RESERVED).mkdir(exist_ok=True, mode=0o700)
        handle = os.open(self.root / RESERVED / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
