"""Paths below one local directory, opened so that no link leads out of it.

Every step is taken from the descriptor of the directory before it, and a link
is followed here and not by the system. So a link that is put there by another
process at the worst moment cannot lead out either.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from greyhub.homespace.stores.errors import refusal

_LINKS = 40
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class ContainedDirectory:
    """A directory as a wall.

    Parameters
    ----------
    root : str
        The directory. It may itself be reached through links.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    @contextmanager
    def parent(self, path: str, *, follow: bool, make: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the directory that holds a path's last name, and that name.

        Parameters
        ----------
        path : str
            Below the root; empty for the root itself, whose name is ``.``.
        follow : bool
            If the last name is a link, go where it leads.
        make : bool
            Make the directories that are missing.
        """
        stack = [os.open(self.root, _PASS & ~os.O_NOFOLLOW)]
        try:
            name = self._walk(stack, path, follow, make)
            yield stack[-1], name
        finally:
            for each in stack:
                os.close(each)

    def _walk(self, stack: list[int], path: str, follow: bool, make: bool) -> str:
        left, links = list(reversed(path.split("/"))), 0
        while left:
            name = left.pop()
            if name in ("", "."):
                continue
            if name == "..":  # only links have it
                if len(stack) == 1:
                    raise refusal(errno.EACCES, path, "a link leads out of the home")
                os.close(stack.pop())
                continue
            last = not any(part not in ("", ".") for part in left)
            if not last or follow:
                target = _link(name, stack[-1])
                if target is not None:
                    links += 1
                    if links > _LINKS:
                        raise refusal(errno.ELOOP, path)
                    left += reversed(self._within(stack, target, path).split("/"))
                    continue
            if last:
                return name
            self._enter(stack, name, path, make)
        return "."

    def _within(self, stack: list[int], target: str, path: str) -> str:
        if not target.startswith("/"):
            return target
        # An absolute link counts from the root if it leads there, however that is written.
        for root in {self.root, os.path.realpath(self.root)}:
            if target == root or target.startswith(f"{root}/"):
                while len(stack) > 1:
                    os.close(stack.pop())
                return target[len(root) + 1 :]
        raise refusal(errno.EACCES, path, "a link leads out of the home")

    def _enter(self, stack: list[int], name: str, path: str, make: bool) -> None:
        try:
            stack.append(os.open(name, _PASS, dir_fd=stack[-1]))
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):  # another one was first
                os.mkdir(name, dir_fd=stack[-1])
            stack.append(os.open(name, _PASS, dir_fd=stack[-1]))


def _link(name: str, directory: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise


def is_directory(name: str, directory: int) -> bool:
    """Whether a name is a directory; a link is none."""
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def allow_owner(name: str, directory: int) -> None:
    """Let the owner, if that is this process, change a directory; a link is left alone."""
    with suppress(OSError):
        opened = os.open(name, _PASS, dir_fd=directory)
        try:
            found = os.fstat(opened)
            if found.st_uid == os.geteuid() and found.st_mode & 0o700 != 0o700:
                # What is only passed through has no mode to be set; its name in /proc has.
                os.chmod(f"/proc/self/fd/{opened}", stat.S_IMODE(found.st_mode) | 0o700)
        finally:
            os.close(opened)


def allow_owner_below(name: str, directory: int) -> None:
    """The same for a directory and all below it."""
    allow_owner(name, directory)
    for _, below, _, here in os.fwalk(name, dir_fd=directory):
        for each in below:
            allow_owner(each, here)
