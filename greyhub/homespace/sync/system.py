"""Two calls of the kernel that Python has no function for."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path


def exchange(one: Path, other: Path) -> None:
    """Swap what two names stand for: in one step, where the system can.

    Raises
    ------
    FileNotFoundError, FileExistsError
        The second name went or came meanwhile; nothing was lost.
    """
    if not _renameat2(one, other):
        held = one.with_name(one.name + ".old")
        os.rename(other, held)
        try:
            os.link(one, other, follow_symlinks=False)
        except OSError:
            with suppress(OSError):
                os.link(held, other, follow_symlinks=False)
            raise
        os.rename(held, one)


def _renameat2(one: Path, other: Path) -> bool:
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if call(here, os.fsencode(one), here, os.fsencode(other), swap) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def make_durable(folder: Path) -> None:
    """Wait until the file system of a folder has everything on the disk."""
    import ctypes

    handle = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle) != 0:
            os.sync()
    except AttributeError:
        os.sync()
    finally:
        os.close(handle)
