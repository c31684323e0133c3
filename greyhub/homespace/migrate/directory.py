"""A copy endpoint for a home in a local directory."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from greyhub.directories import make_passable
from greyhub.errors import HomeError
from greyhub.homespace.migrate.endpoint import Item, Unexpected
from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import PART
from greyhub.homespace.stores.atomic_file import AtomicFile, reap
from greyhub.homespace.stores.errors import FileChanged
from greyhub.homespace.stores.local import LocalStore
from greyhub.homespace.sync import user_databases
from greyhub.homespace.sync.ignore import Rules
from greyhub.homespace.sync.keys import reserved
from greyhub.homespace.sync.plan import UNKNOWN
from greyhub.homespace.sync.records import Seen
from greyhub.homespace.sync.scan import look, seen_file, walk
from greyhub.homespace.sync.source import Source, Stable
from greyhub.homespace.sync.syscalls import make_durable

TAKEN = (FileExistsError, FileChanged, IsADirectoryError, NotADirectoryError)


class Everything(Rules):
    """No rules: all that is the user's moves, and what an ended writer left is noted."""

    def __init__(self) -> None:
        self.left: list[str] = []

    def skip(self, path: str, *, folder: bool) -> bool:
        """Whether a path is greyhub's own."""
        if path.rpartition("/")[2].startswith(PART):
            self.left.append(path)
            return True
        return reserved(path)


class DirectoryEndpoint:
    """A home's directory. Nothing is read or written through a link in it.

    Parameters
    ----------
    root : Path
        The directory. It is made when something is put into it.
    scratch : Path
        Where a database and its log are joined.
    owner : tuple of int, optional
        uid and gid of what is made.
    check : bool
        Read again what was written, before it is published.
    """

    names = True

    def __init__(
        self,
        root: Path,
        scratch: Path,
        owner: tuple[int, int] | None = None,
        *,
        check: bool = True,
    ) -> None:
        self.name, self.root, self.scratch = str(root), root, scratch
        self.owner, self.check = owner, check
        self.store = LocalStore(f"file://{root}", Secrets({}), 0.0)
        self.unreadable: list[str] = []
        self._rules = Everything()

    def items(self) -> Iterator[Item]:
        """All files, folders and links; sockets and pipes are none of these."""
        self.unreadable = []
        if not os.path.lexists(self.root):
            return
        if not self.root.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is not a directory", str(self.root))
        self._rules = rules = Everything()
        first: dict[int, str] = {}
        for path, seen in walk(self.root, rules):
            if seen is UNKNOWN:
                self.unreadable.append(path.rstrip("/"))
            elif isinstance(seen, Seen):
                same = first.setdefault(seen.inode, path) if seen.names > 1 else path
                yield _item(path, seen, "" if same == path else same)

    def find(self, path: str) -> Item | None:
        """What is at one path now."""
        seen = look(self.root, path)
        return _item(path, seen, "") if isinstance(seen, Seen) else None

    @contextmanager
    def open(self, item: Item) -> Iterator[Source]:
        """A file; of a database with a log, the two joined."""
        with self.store.at(item.path) as (directory, name):
            # The directory is held, so that no link can be put in its place.
            full = f"/proc/self/fd/{directory}/{name}"
            seen = seen_file(full, os.stat(name, dir_fd=directory, follow_symlinks=False))
            if _mark(seen) != item.mark:
                raise Unexpected(item.path)
            try:
                copy = self._joined(full) if seen.beside else None
                source = Stable(copy or Path(full))
            except PermissionError as error:
                raise HomeError(f"it cannot be read: {error.strerror}") from error
        try:
            with source:
                yield source
        finally:
            if copy:
                user_databases.delete(copy)

    def _joined(self, full: str) -> Path:
        """A copy of a database with what was committed to its log; the source stays as it is."""
        self.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        copy = self.scratch / f"{uuid4().hex}.db"
        for suffix in ("", "-wal", "-journal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{full}{suffix}", f"{copy}{suffix}", follow_symlinks=False)
        database = sqlite3.connect(copy)
        try:
            database.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.DatabaseError:
            shutil.copyfile(full, copy, follow_symlinks=False)  # it only looks like one
        finally:
            database.close()
        return copy

    def digest(self, item: Item) -> str:
        """The digest of a file."""
        with self.open(item) as source:
            for _ in source.chunks():
                pass
            return source.seal()

    def put(self, item: Item, source: Source, expect: str | None) -> tuple[str, str]:
        """Write a file out of sight, with all that belongs to it, and rename it into place."""
        self._begin()
        try:
            staged = self.store.stage(item.path)
        except TAKEN as error:
            raise Unexpected(item.path) from error
        assert isinstance(staged, AtomicFile)
        try:
            for piece in source.chunks():
                staged.write(piece)
            digest = source.seal()
            staged.flush()
            if self.check and _digest(staged.fileno()) != digest:
                raise OSError(errno.EIO, "the disk gave back other bytes", item.path)
            self._dress(staged.fileno(), item)
            self.store.publish(staged, item.path, exclusive=expect is None, match=expect)
        except TAKEN as error:
            self.store.discard(staged)
            raise Unexpected(item.path) from error
        except BaseException:
            self.store.discard(staged)
            raise
        if expect is not None:
            self.describe(item, "", "")  # what replaces a file is given that one's mode
        return self.store.info(item.path).version, digest

    def _begin(self) -> None:
        """Make the home itself, for nobody but its owner."""
        if self.root.exists():
            return
        make_passable(self.root.parent)
        with suppress(FileExistsError):
            self.root.mkdir(mode=0o700)
            if self.owner:
                os.chown(self.root, *self.owner, follow_symlinks=False)

    def make(self, item: Item, *, final: bool) -> None:
        """Make a folder, a link or another name, or dress a file that is there."""
        self._begin()
        try:
            with self.store.at(item.path, make=True) as (directory, name):
                self._make(item, name, directory, final)
        except TAKEN as error:
            raise Unexpected(item.path) from error

    def _make(self, item: Item, name: str, directory: int, final: bool) -> None:
        if item.kind == "link":
            os.symlink(item.target, name, dir_fd=directory)
            if self.owner:
                os.chown(name, *self.owner, dir_fd=directory, follow_symlinks=False)
            return
        if item.kind == "file" and item.same:
            with self.store.at(item.same) as (there, first):
                os.link(first, name, src_dir_fd=there, dst_dir_fd=directory, follow_symlinks=False)
            return
        if item.kind == "folder":
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=directory)
        how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        opened = os.open(
            name, how | (os.O_DIRECTORY if item.kind == "folder" else 0), dir_fd=directory
        )
        try:
            self._dress(opened, item, 0 if final else 0o700)
        finally:
            os.close(opened)

    def _dress(self, file: int, item: Item, more: int = 0) -> None:
        if self.owner:
            os.fchown(file, *self.owner)
        os.fchmod(file, item.mode | more)
        if item.kind == "file":
            os.utime(file, ns=(item.mtime, item.mtime))

    def describe(self, item: Item, mark: str, digest: str) -> None:
        """Give a file that is there its mode and times: a directory says the rest itself."""
        self.make(Item(item.path, "file", mode=item.mode, mtime=item.mtime), final=True)

    def settle(self, *, final: bool) -> None:
        """Wait for the disk; finally, take away what writers that were ended left."""
        for path in self._rules.left if final else ():
            with suppress(OSError), self.store.at(path) as (directory, name):
                reap(name, directory)
        if self.root.is_dir():
            make_durable(self.root)

    def renew(self) -> None:
        """There are no credentials."""


def _item(path: str, seen: Seen, same: str) -> Item:
    mark = _mark(seen) if seen.kind == "file" else ""
    return Item(
        path, seen.kind, seen.size, seen.mode, seen.mtime, seen.target, same=same, mark=mark
    )


def _mark(seen: Seen) -> str:
    """As `LocalStore` has it, and the state of a database's log."""
    return f"{seen.inode:x}-{seen.mtime:x}-{seen.size:x}{seen.beside and f' {seen.beside}'}"


def _digest(file: int) -> str:
    found, at = hashlib.sha256(), 0
    while piece := os.pread(file, 1 << 20, at):
        found.update(piece)
        at += len(piece)
    return found.hexdigest()
