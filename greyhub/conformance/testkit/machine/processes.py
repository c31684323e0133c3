"""The processes of a simulated machine, as its first process starts, collects and ends them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

lock = threading.RLock()
"""Held while a process is started, and while what runs is looked up or changed."""

over = threading.Event()
"""The machine is being ended: nothing is started again."""

_waited: set[int] = set()


def run(
    command: list[str], environment: dict[str, str], log: Path, cwd: str | None = None
) -> subprocess.Popen[bytes]:
    """A process in a session of its own, with its output in a file.

    Raises
    ------
    SystemExit
        The machine is being ended; the thread that asked ends, too.
    """
    with lock, log.open("ab") as out:
        if over.is_set():
            raise SystemExit
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        _waited.add(process.pid)
    return process


def finished(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
    """The exit code of a process that `run` has started."""
    code = process.wait(timeout)
    with lock:
        _waited.discard(process.pid)
    return code


def reap() -> None:
    """Collect what nobody else waits for, as the first process must."""
    while True:
        with contextlib.suppress(ChildProcessError):
            seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            with lock:
                if seen and seen.si_pid not in _waited:
                    os.waitpid(seen.si_pid, 0)
        time.sleep(0.01)


def parents() -> dict[int, int]:
    """Every process of this host that lives, and its parent."""
    found: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
                if stat[0] != "Z":
                    found[int(entry)] = int(stat[1])
    return found


def below(top: int, every: dict[int, int]) -> list[int]:
    """Every process below one, by what `parents` has told."""
    within, found = {top}, list[int]()
    while more := [pid for pid, up in every.items() if up in within and pid not in within]:
        within.update(more)
        found += more
    return found


def descendants() -> list[int]:
    """Every process below this one."""
    return below(os.getpid(), parents())


def end_all(grace: float) -> None:
    """SIGTERM to everything, SIGKILL to what is left after ``grace`` seconds."""
    with lock:  # what is being started is seen below, and nothing is started after it
        over.set()
    until = time.monotonic() + grace
    if grace:
        for pid in descendants():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGTERM)
    # Twice: what dies between two looks at it leaves its children to this process.
    while left := descendants() or descendants():
        if time.monotonic() >= until:
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
