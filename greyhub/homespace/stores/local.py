"""Homes on a disk of this machine."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import IO, Any

from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import PART, Entry, Source, Store
from greyhub.homespace.stores.atomic_file import AtomicFile, locked, reap
from greyhub.homespace.stores.errors import FileChanged, refusal
from greyhub.homespace.stores.openat import (
    ContainedDirectory,
    allow_owner,
    allow_owner_below,
    is_directory,
)

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class LocalStore(Store):
    """A directory. A new file takes its place by one rename.

    A file that is being written is locked, so that what a dead writer left
    behind is told from what a living one still needs.
    """

    can = frozenset(
        {"append", "atomic", "conditional_write", "directories", "exclusive_create",
         "processes", "symlinks", "touch"}
    )  # fmt: skip
    block = 2**20
    cache = "none"
    width = 1

    def __init__(self, url: str, secrets: Secrets, patience: float) -> None:
        super().__init__(url, secrets, patience)
        self.root = url.partition("://")[2].rstrip("/") or "/"
        self.contained = ContainedDirectory(self.root)

    def make_root(self) -> None:
        """Make the directory, for nobody else to read."""
        os.makedirs(self.root, mode=0o700, exist_ok=True)

    @contextmanager
    def at(
        self, path: str, *, follow: bool = False, make: bool = False
    ) -> Iterator[tuple[int, str]]:
        """The directory of a path and its last name; errors name the home's path."""
        try:
            with self.contained.parent(path, follow=follow, make=make) as found:
                yield found
        except FileChanged:
            raise
        except OSError as error:
            if error.filename == path:
                raise
            raise OSError(error.errno, error.strerror, path) from None

    def info(self, path: str) -> Entry:
        """What is at a path. A link that leads nowhere, or out, is described itself."""
        with self.at(path) as (directory, name):
            own = _entry(path, name, directory)
        if own.type != "link":
            return own
        try:
            with self.at(path, follow=True) as (directory, name):
                found = _entry(path, name, directory)
        except OSError:
            return own
        return replace(found, destination=own.destination)

    def entries(self, path: str) -> Iterator[Entry]:
        """What a directory holds, links unfollowed."""
        entries = []
        with self._directory(path) as directory:
            for name in os.listdir(directory):
                if name.startswith(PART):
                    reap(name, directory)
                    continue
                with suppress(FileNotFoundError):  # removed meanwhile
                    full = f"{path}/{name}" if path else name
                    entries.append(_entry(full, name, directory))
        return iter(entries)

    @contextmanager
    def _directory(self, path: str) -> Iterator[int]:
        with self.at(path, follow=True) as (directory, name):
            opened = os.open(name, _READ | os.O_DIRECTORY, dir_fd=directory)
            try:
                yield opened
            finally:
                os.close(opened)

    def source(self, path: str) -> Source:
        """Open a file; it stays the same however it is replaced."""
        with self.at(path, follow=True) as (directory, name):
            opened = os.open(name, _READ, dir_fd=directory)
            try:
                found = os.fstat(opened)
                if stat.S_ISDIR(found.st_mode):
                    raise refusal(errno.EISDIR, path)
                if not stat.S_ISREG(found.st_mode):
                    raise refusal(errno.EINVAL, path, "it is not a file")
            except BaseException:
                os.close(opened)
                raise
        return LocalSource(opened, _of_stat(path, found))

    def stage(self, path: str) -> IO[bytes]:
        """A hidden file beside the path, or above it where there is no directory yet."""
        above = path.rpartition("/")[0]
        while True:
            try:
                with self.at(f"{above}/{PART}" if above else PART) as (directory, _):
                    return AtomicFile(directory)
            except FileNotFoundError:
                if not above:
                    raise
                above = above.rpartition("/")[0]

    def discard(self, staged: IO[bytes]) -> None:
        """Remove a staged file."""
        assert isinstance(staged, AtomicFile)
        with suppress(OSError, ValueError):
            staged.unlink()
        with suppress(OSError):
            staged.close()

    def publish(
        self,
        staged: IO[bytes],
        path: str,
        *,
        exclusive: bool = False,
        match: str | None = None,
    ) -> None:
        """Let a staged file take its name."""
        assert isinstance(staged, AtomicFile)
        staged.flush()
        with self.at(path, follow=not exclusive, make=True) as (directory, name):
            if exclusive:
                self._take(staged, path, directory, name)
            else:
                self._replace(staged, path, directory, name, match)
        staged.close()

    def _take(self, staged: AtomicFile, path: str, directory: int, name: str) -> None:
        try:
            staged.link(name, directory)
        except OSError as error:
            if error.errno in _NO_LINKS:
                raise self.lacks("exclusive_create") from error
            raise

    def _replace(
        self, staged: AtomicFile, path: str, directory: int, name: str, match: str | None
    ) -> None:
        with locked(directory) as alone:
            if match is not None and not alone:
                raise self.lacks("conditional_write")
            old = _stat(name, directory)
            if match is not None and (old is None or _of_stat(path, old).version != match):
                raise FileChanged(path=path)
            if old is not None and stat.S_ISDIR(old.st_mode):
                raise refusal(errno.EISDIR, path)
            if old is not None:
                # What was there is not given up before the new bytes are on the disk.
                os.fchmod(staged.fileno(), stat.S_IMODE(old.st_mode))
                os.fsync(staged.fileno())
            staged.rename(name, directory)

    def put(
        self, path: str, body: IO[bytes], *, exclusive: bool = False, match: str | None = None
    ) -> None:
        """Write a staged file and publish it."""
        staged = self.stage(path)
        try:
            shutil.copyfileobj(body, staged, self.block)
            self.publish(staged, path, exclusive=exclusive, match=match)
        except BaseException:
            self.discard(staged)
            raise

    def append(self, path: str, body: IO[bytes]) -> None:
        """Add to the end of a file in place; what could not be added whole is taken back."""
        with self.at(path, follow=True, make=True) as (directory, name):
            file = os.open(name, _APPEND, 0o666, dir_fd=directory)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise refusal(errno.EINVAL, path, "it is not a file")
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file).st_size
            try:
                while chunk := body.read(self.block * 8):
                    view = memoryview(chunk)
                    while view:
                        view = view[os.write(file, view) :]
            except BaseException:
                os.ftruncate(file, size)
                raise
        finally:
            os.close(file)

    def copy(self, source: str, target: str) -> None:
        """Copy a file and its mode."""
        opened = self.source(source)
        assert isinstance(opened, LocalSource)
        staged = self.stage(target)
        try:
            with os.fdopen(os.dup(opened.file), "rb") as body:
                shutil.copyfileobj(body, staged, self.block)
            os.fchmod(staged.fileno(), stat.S_IMODE(os.fstat(opened.file).st_mode))
            self.publish(staged, target)
        except BaseException:
            self.discard(staged)
            raise
        finally:
            opened.close()

    def move(self, source: str, target: str) -> None:
        """Rename."""
        try:
            with self.at(source) as (here, old), self.at(target, make=True) as (there, new):
                before = os.stat(old, dir_fd=here, follow_symlinks=False)
                try:
                    os.rename(old, new, src_dir_fd=here, dst_dir_fd=there)
                except PermissionError:  # its owner may not write to it, and it gets another ".."
                    allow_owner(old, here)
                    os.rename(old, new, src_dir_fd=here, dst_dir_fd=there)
                    os.chmod(new, stat.S_IMODE(before.st_mode), dir_fd=there)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._carry(source, target)

    def _carry(self, source: str, target: str) -> None:
        # To another disk that is mounted within the home.
        entry = self.info(source)
        if entry.destination is not None:
            raise refusal(errno.EXDEV, source, "a link does not move to another disk")
        if entry.type != "directory":
            self.copy(source, target)
            return self.remove(source)
        self.make_directory(target)
        for each in self.tree(source):
            name = target + each.name[len(source) :]
            if each.type == "directory":
                self.make_directory(name)
            else:
                self.copy(each.name, name)
        self.remove_tree(source)

    def remove(self, path: str) -> None:
        """Unlink a file or a link."""
        with self.at(path) as (directory, name):
            if is_directory(name, directory):
                raise refusal(errno.EISDIR, path)
            os.unlink(name, dir_fd=directory)

    def make_directory(self, path: str) -> None:
        """Make a directory and those above it."""
        with self.at(path, make=True) as (directory, name):
            os.mkdir(name, dir_fd=directory)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        with suppress(OSError):
            list(self.entries(path))  # takes leftovers away
        with self.at(path) as (directory, name):
            os.rmdir(name, dir_fd=directory)

    def remove_tree(self, path: str) -> None:
        """Remove a directory and all that it holds; no link is followed."""
        with self.at(path) as (directory, name):
            if not is_directory(name, directory):
                os.stat(name, dir_fd=directory, follow_symlinks=False)
                raise refusal(errno.ENOTDIR, path)
            try:
                shutil.rmtree(name, dir_fd=directory)
            except PermissionError:  # Go's modules are read-only, for one
                allow_owner_below(name, directory)
                shutil.rmtree(name, dir_fd=directory)

    def touch(self, path: str) -> None:
        """Set the time of the last change to now."""
        opened = self.source(path)
        assert isinstance(opened, LocalSource)
        try:
            os.utime(opened.file)
        finally:
            opened.close()


class LocalSource:
    """An open file."""

    def __init__(self, file: int, entry: Entry) -> None:
        self.file, self.entry = file, entry

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes of the file; what is changed in place by others is seen."""
        parts = []
        while start < end and (part := os.pread(self.file, end - start, start)):
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the file."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


def _stat(name: str, directory: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _entry(path: str, name: str, directory: int) -> Entry:
    found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    entry = _of_stat(path, found)
    if entry.type == "link":
        return replace(entry, destination=os.readlink(name, dir_fd=directory))
    return entry


def _of_stat(path: str, found: os.stat_result) -> Entry:
    kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "link"}
    kind: Any = kinds.get(stat.S_IFMT(found.st_mode), "other")
    size = 0 if kind == "directory" else found.st_size
    version = f"{found.st_ino:x}-{found.st_mtime_ns:x}-{size:x}"
    return Entry(path, kind, size, found.st_mtime_ns / 1e9, version)
