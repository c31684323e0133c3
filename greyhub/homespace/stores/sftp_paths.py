"""Paths, links and attributes on an SFTP server, below the root of a home."""

from __future__ import annotations

import errno
import stat
from contextlib import suppress
from typing import Any

from greyhub.homespace.stores import Entry
from greyhub.homespace.stores.errors import refusal


class SFTPPaths:
    """A home's paths on one SFTP channel.

    Parameters
    ----------
    sftp : paramiko.SFTPClient
        The channel.
    root : str
        The home's directory on the server.
    """

    def __init__(self, sftp: Any, root: str) -> None:
        self.sftp, self.root = sftp, root

    def full(self, path: str) -> str:
        """The server's path, links unfollowed."""
        return f"{self.root.rstrip('/')}/{path}" if path else self.root

    def real(self, path: str) -> str:
        """Where a path leads on the server; `PermissionError` if that is outside."""
        root: str = self.sftp.normalize(self.root)
        found: str = self.sftp.normalize(self.full(path))
        if found != root and not found.startswith(f"{root.rstrip('/')}/"):
            raise refusal(errno.EACCES, path, "a link leads out of the home")
        return found

    def directory(self, path: str, *, make: bool = False) -> str:
        """The real place of a directory of the home."""
        try:
            found = self.real(path)
            if not stat.S_ISDIR(self.sftp.stat(found).st_mode):
                raise refusal(errno.ENOTDIR, path)
            return found
        except FileNotFoundError:
            if not make or not path:
                raise
        above, _, name = path.rpartition("/")
        found = f"{self.directory(above, make=True)}/{name}"
        try:
            self.sftp.mkdir(found)
        except OSError:
            if not stat.S_ISDIR(self.sftp.stat(found).st_mode):  # another one was first
                raise
        return found

    def place(self, path: str, *, make: bool = False, follow: bool = False) -> str:
        """The real place of a path's directory, with its last name."""
        above, _, name = path.rpartition("/")
        found = f"{self.directory(above, make=make)}/{name}" if path else self.full("")
        if follow and path:
            with suppress(FileNotFoundError):
                if stat.S_ISLNK(self.sftp.lstat(found).st_mode):
                    return self.real(path)
        return found

    def exists(self, place: str) -> bool:
        """Whether there is anything at a place."""
        try:
            self.sftp.lstat(place)
        except FileNotFoundError:
            return False
        return True

    def is_directory(self, place: str) -> bool:
        """Whether there is a directory at a place; `FileNotFoundError` if nothing is."""
        return stat.S_ISDIR(self.sftp.lstat(place).st_mode)

    def forget(self, place: str) -> None:
        """Remove a hidden file. Never raises."""
        with suppress(Exception):
            self.sftp.remove(place)


def entry_of(path: str, found: Any) -> Entry:
    """What a server says of a file, unfollowed if it is a link."""
    mode = found.st_mode or 0
    kinds = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "link"}
    kind: Any = kinds.get(stat.S_IFMT(mode), "other")
    size = 0 if kind == "directory" else found.st_size
    return Entry(path, kind, size, float(found.st_mtime), f"{found.st_mtime:x}-{size:x}")
