"""System calls that Python has no function for."""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any


def exchange(one: str | Path, other: str | Path) -> None:
    """Swap what two names stand for: in one step, where the system can.

    Raises
    ------
    FileNotFoundError, FileExistsError
        The second name went or came meanwhile; nothing was lost.
    """
    if not _renameat2(one, other, flag=2):  # RENAME_EXCHANGE
        held = f"{one}.old"
        os.rename(other, held)
        try:
            os.link(one, other, follow_symlinks=False)
        except OSError:
            with suppress(OSError):
                os.link(held, other, follow_symlinks=False)
            raise
        os.rename(held, one)


def move(one: str | Path, other: str | Path) -> bool:
    """Rename to where nothing is; false if this file system has no such step.

    Raises
    ------
    FileExistsError
        Something is there.
    """
    return _renameat2(one, other, flag=1)  # RENAME_NOREPLACE


def _renameat2(one: str | Path, other: str | Path, flag: int) -> bool:
    call, here = _libc("renameat2"), -100  # AT_FDCWD
    if call is None:
        return False
    if call(here, os.fsencode(one), here, os.fsencode(other), flag) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


@cache
def _libc(name: str) -> Any:
    return getattr(ctypes.CDLL(None, use_errno=True), name, None)  # not every system has each


def make_durable(folder: Path) -> None:
    """Wait until the file system of a folder has everything on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        syncfs = _libc("syncfs")
        if syncfs is None or syncfs(handle) != 0:
            os.sync()
    finally:
        os.close(handle)


def allowed() -> set[int]:
    """The processors that this thread may run on; nothing where they cannot be chosen."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def processor() -> int:
    """The processor that this thread runs on."""
    call = _libc("sched_getcpu")
    return int(call()) if call else -1


def stay(processors: set[int], thread: int = 0) -> None:
    """Have this thread run on these processors only, if that can be had."""
    with suppress(OSError, AttributeError, ValueError):
        os.sched_setaffinity(thread, processors)


def threads() -> list[int]:
    """All threads of this process, those of libraries as well; some may have ended."""
    try:
        return list(map(int, os.listdir("/proc/self/task")))
    except OSError:
        return []


def expect_many() -> None:
    """Make this process one that holds very many small things, with many threads."""
    gc.set_threshold(20_000, 20, 20)  # they stay, and are in no cycles
    if call := _libc("mallopt"):  # a thread's own memory is had anew from the system
        call(-8, 2)  # M_ARENA_MAX


def _give_way_as_session(nice: int) -> None:
    for _ in range(5):
        try:
            Path("/proc/self/autogroup").write_text(str(nice))
        except BlockingIOError:  # ten times a second at most, of all users
            time.sleep(0.1)
            continue
        except OSError:
            pass
        return


def give_way(nice: int) -> None:
    """Let all of this process come after others that want the processor as well.

    With 0 it comes after nobody any more, as far as the system takes that back.
    """
    # Where the kernel shares its processors out by sessions, priorities only count within one.
    if os.getsid(0) == os.getpid():
        _give_way_as_session(nice)
    # On Linux each thread has a priority of its own, and a new one has its maker's.
    for thread in threads():
        with suppress(OSError):  # it has ended meanwhile
            # What comes after others does not interrupt them either when it has to do.
            how = os.SCHED_BATCH if nice else os.SCHED_OTHER
            os.sched_setscheduler(thread, how, os.sched_param(0))
        with suppress(OSError):
            if os.getpriority(os.PRIO_PROCESS, thread) < nice:
                os.setpriority(os.PRIO_PROCESS, thread, nice)
