"""Directories on machines that several users share, whatever the umask is."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

PASSABLE = 0o711
"""Others pass through, and see no names."""

OPEN = 0o755
"""What stands above: as it is by default where the umask is the usual one."""


def make_passable(path: Path) -> None:
    """Make a directory, and those above it that are missing, for all to pass through.

    What is there already keeps its mode. A mode that is given to ``mkdir`` loses what
    the umask takes: under 027, as some machines have it, users would be shut out.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        mode = PASSABLE if each == path else OPEN
        try:
            each.mkdir(mode)
        except FileExistsError:
            continue  # another was first, and gives it its mode
        each.chmod(mode)


def temporary_directory(name: str, uid: int | None = None) -> str:
    """Return a directory for temporary files that is one user's alone, also when asked again.

    It is ``<name>-<uid>`` among the machine's temporary files. Where another user was first with
    that name, or others may look into it, it is a new one.

    Parameters
    ----------
    name : str
        What it is for.
    uid : int, optional
        Whose it is; by default, that of this process. For another's, this one is root's.
    """
    owner = os.geteuid() if uid is None else uid
    path = os.path.join(tempfile.gettempdir(), f"{name}-{owner}")
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
        if owner != os.geteuid():
            os.chown(path, owner, owner, follow_symlinks=False)
    found = os.lstat(path)
    if stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077:
        return path
    path = tempfile.mkdtemp(prefix=f"{name}-{owner}-")
    if owner != os.geteuid():
        os.chown(path, owner, owner)
    return path


def process_directory(name: str) -> str:
    """Make a directory for temporary files that goes when this process does.

    Those of the same user's processes that were killed go now: each process holds a lock on its
    own for as long as it lives.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{name}-*"):
        with suppress(OSError):  # another's, a link, in use, or gone meanwhile
            _remove_unlocked(left)
    new = tempfile.mkdtemp(prefix=f".{name}-")
    with suppress(OSError):  # a file system without locks: others get none either
        fcntl.flock(os.open(new, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX)
    path = os.path.join(os.path.dirname(new), os.path.basename(new)[1:])
    os.rename(new, path)  # it has its lock before others find it
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def _remove_unlocked(path: Path) -> None:
    """Remove a directory of this user's; raises `OSError` where it is none, or is in use."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_uid == os.geteuid():
            shutil.rmtree(path)
    finally:
        os.close(descriptor)
