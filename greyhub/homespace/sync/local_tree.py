"""The local tree: every change of it, made so that nothing of its user's is lost.

What is put in a place was made in a folder of greyhub's own and comes by one rename. What was there
is looked at once more when it is out of the way: if it was not what the plan
knew, it goes back.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count as counting
from pathlib import Path
from typing import Final

from greyhub.homespace.sync import user_databases
from greyhub.homespace.sync.keys import RESERVED
from greyhub.homespace.sync.plan import UNKNOWN, Unknown
from greyhub.homespace.sync.records import Seen
from greyhub.homespace.sync.scan import look
from greyhub.homespace.sync.syscalls import exchange, move

SCRATCH: Final = f"{RESERVED}/tmp"  # noqa: S108
TRASH: Final = f"{RESERVED}/trash"
TRASH_DAYS: Final = 7
NAME_MAX: Final = 255


class Moved(Exception):
    """The local path is not what it was when the plan was made."""


class Busy(Exception):
    """A database is in use; what is beside it belongs to whoever uses it."""


class Blocked(Exception):
    """A file stands where a folder is needed.

    Parameters
    ----------
    path : str
        The path of the file.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class LocalTree:
    """The local tree of one home.

    Parameters
    ----------
    home : Path
        Its top.
    host : str
        This machine, as conflicts are to name it.
    clock : Callable[[], float]
        The time of day, for names that people read; nothing is decided by it.
    """

    def __init__(self, home: Path, host: str, clock: Callable[[], float] = time.time) -> None:
        self.home, self.host, self.clock = home, host, clock
        self.top = str(home)  # of many files, joining strings is what is quick
        self.scratch = home / SCRATCH
        self._numbers = counting()

    def prepare(self) -> None:
        """Make greyhub's own folder, and clear what an earlier run left in it."""
        (self.home / RESERVED).mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(mode=0o700, exist_ok=True)
        self.tidy()

    def tidy(self) -> None:
        """Empty the trash of what has been in it for long enough."""
        oldest = self._day(self.clock() - TRASH_DAYS * 86_400)
        with suppress(OSError):
            for day in os.listdir(self.home / TRASH):
                if day < oldest:
                    shutil.rmtree(self.home / TRASH / day, ignore_errors=True)

    def look(self, path: str, firm: set[str] | None = None) -> Seen | Unknown | None:
        """The path as it is now: see `scan.look`."""
        return look(self.home, path, firm)

    def temporary(self) -> Path:
        """A name for what will be put in its place; nothing is there yet."""
        if not os.path.isdir(self.scratch):  # somebody took it away
            self.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.scratch / str(next(self._numbers))

    def create(self) -> tuple[int, str]:
        """A new file for what will be put in its place, open for writing, and its name."""
        made = f"{self.top}/{SCRATCH}/{next(self._numbers)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return os.open(made, flags, 0o600), made
        except FileNotFoundError:
            made = str(self.temporary())
            return os.open(made, flags, 0o600), made

    def put(self, made: str | Path, path: str, expected: Seen | None) -> None:
        """Put what was made in its place, where ``expected`` is now.

        Raises
        ------
        Moved
            Something else is there; it is left as it is.
        Busy
            A database that is in use is there.
        Blocked
            A file stands where a folder is needed.
        """
        full = f"{self.top}/{path}"
        self.folders(path)
        if expected is None:
            self._writable(full, lambda: self._link(made, full))
            return
        if expected.kind == "file":
            self.release(path)
        if not _alike(self.look(path), expected):
            raise Moved(path)
        if expected.kind == "folder":
            try:
                os.rmdir(full)
            except OSError as error:
                raise Moved(path) from error
            self._writable(full, lambda: self._link(made, full))
            return
        try:
            self._writable(full, lambda: exchange(made, full))
        except (FileNotFoundError, FileExistsError) as error:
            raise Moved(path) from error
        if not _alike(look(self.scratch, os.path.basename(made)), replace(expected, beside="")):
            exchange(made, full)
            raise Moved(path)
        with suppress(FileNotFoundError):
            os.unlink(made)

    def _link(self, made: str | Path, full: str) -> None:
        try:
            if move(made, full):
                return
            os.link(made, full, follow_symlinks=False)
        except FileExistsError as error:
            raise Moved(full) from error
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
                raise
            if os.path.lexists(full):  # a file system without hard links
                raise Moved(full) from error
            os.rename(made, full)
            return
        os.unlink(made)

    def folders(self, path: str) -> None:
        """Make the folders that a path stands in."""
        if self._stands(path):
            return
        parent = (self.home / path).parent
        try:
            self._writable(parent, lambda: parent.mkdir(parents=True, exist_ok=True))
        except (NotADirectoryError, FileExistsError) as error:
            parts = path.split("/")
            for depth in range(1, len(parts)):
                above = "/".join(parts[:depth])
                if not os.path.isdir(self.home / above) or os.path.islink(self.home / above):
                    raise Blocked(above) from error
            raise
        # A link to a folder is not a folder: nothing is put where it leads to.
        parts = path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if os.path.islink(self.home / above):
                raise Blocked(above)

    def _stands(self, path: str) -> bool:
        """Whether all folders that a path is in are there, and none is a link."""
        here = self.top
        try:
            for part in path.split("/")[:-1]:
                here = f"{here}/{part}"
                if not stat.S_ISDIR(os.lstat(here).st_mode):
                    return False
        except OSError:
            return False
        return True

    def _writable(self, full: str | Path, act: Callable[[], None]) -> None:
        """Do it, opening a folder that its owner has closed for as long as it takes."""
        try:
            act()
        except PermissionError:
            folder = Path(full).parent
            while not folder.exists():
                folder = folder.parent
            mode = folder.stat().st_mode & 0o7777
            if mode & 0o300 == 0o300:
                raise
            folder.chmod(mode | 0o300)
            try:
                act()
            finally:
                folder.chmod(mode)

    def folder(self, path: str, mode: int, expected: Seen | None) -> None:
        """Make a folder, or give one its mode."""
        full = self.home / path
        if expected is not None and expected.kind != "folder":
            self.remove(path, expected)
        self.folders(path)
        try:
            self._writable(full, lambda: full.mkdir(exist_ok=True))
        except FileExistsError as error:
            raise Moved(path) from error
        full.chmod(mode)

    def remove(self, path: str, expected: Seen) -> None:
        """Take a path away: a file into the trash of these days, a folder if it is empty.

        Raises
        ------
        Moved
            It is not the expected one, or the folder is not empty.
        """
        full = self.home / path
        if expected.kind == "file":
            self.release(path)
        if not _alike(self.look(path), expected):
            raise Moved(path)
        if expected.kind == "folder":
            try:
                self._writable(full, full.rmdir)
            except OSError as error:
                raise Moved(path) from error
            return
        trash = self.home / TRASH / self._day(self.clock()) / path
        with suppress(OSError):
            trash.parent.mkdir(parents=True, exist_ok=True)
        if not trash.parent.is_dir() or trash.is_dir():
            trash = self.temporary()
        self._writable(full, lambda: os.rename(full, trash))
        if not _alike(look(trash.parent, trash.name), replace(expected, beside="")):
            with suppress(FileExistsError):  # whoever wrote it has written it again
                os.link(trash, full, follow_symlinks=False)
            raise Moved(path)

    def aside(self, path: str, taken: Callable[[str], bool]) -> str:
        """Give the local version a clear name, and return that.

        Parameters
        ----------
        taken : Callable[[str], bool]
            Whether a name is in use elsewhere.
        """
        self.release(path)
        new = self.conflict_name(path, taken)
        self._writable(self.home / path, lambda: os.rename(self.home / path, self.home / new))
        return new

    def conflict_name(self, path: str, taken: Callable[[str], bool]) -> str:
        """A free name beside a path that says what happened, where and when."""
        folder, slash, name = path.rpartition("/")
        stem, suffix = os.path.splitext(name)
        when = time.strftime("%Y-%m-%d %H.%M.%S", time.localtime(self.clock()))
        count = 1
        while True:
            again = f" {count}" if count > 1 else ""
            mark = f" (conflict from {self.host} {when}{again})"
            room = NAME_MAX - len(os.fsencode(mark)) - len(os.fsencode(suffix))
            if room < 1:
                stem, suffix, room = name, "", NAME_MAX - len(os.fsencode(mark))
            short = os.fsencode(stem)[:room].decode(errors="ignore")
            if os.fsdecode(os.fsencode(stem)) == stem and len(os.fsencode(stem)) <= room:
                short = stem
            new = f"{folder}{slash}{short}{mark}{suffix}"
            if not os.path.lexists(self.home / new) and not taken(new):
                return new
            count += 1

    def release(self, path: str) -> None:
        """See to it that a database has nothing beside it, or raise `Busy`."""
        if not user_databases.released(self.home / path):
            raise Busy(f"the database {path} is in use here")

    def _day(self, now: float) -> str:
        return time.strftime("%Y-%m-%d", time.gmtime(now))


def _alike(now: Seen | Unknown | None, expected: Seen) -> bool:
    """Whether it is the same; a rename changes only the time of the last change."""
    if now is None or now is UNKNOWN or now.kind != expected.kind:
        return False
    if now.kind == "file":
        return (now.size, now.mtime, now.inode) == (expected.size, expected.mtime, expected.inode)
    return now.kind == "folder" or now.target == expected.target
