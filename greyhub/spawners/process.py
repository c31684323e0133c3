"""Find, watch and end the processes of one server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import psutil

TAIL = 2000
"""Bytes from the end of a server's log that an error shows."""


def alive(pid: int, created: float | None) -> bool:
    """Whether the process ``pid`` is the one that was started at ``created``.

    A system that does not tell leaves it in doubt, and what is in doubt is not gone.
    """
    try:
        process = psutil.Process(pid)
        same = created is None or abs(process.create_time() - created) < 1
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError):
        return True


def created(pid: int) -> float | None:
    """When the process was started, or None if it is gone."""
    try:
        found: float = psutil.Process(pid).create_time()
        return found
    except psutil.NoSuchProcess:
        return None


def descendants(pid: int) -> list[psutil.Process]:
    """The process's children, theirs, and so on."""
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
        return found
    except psutil.NoSuchProcess:
        return []


def kill(processes: list[psutil.Process]) -> None:
    """SIGKILL to those that are still there."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def marked(marks: Mapping[str, str]) -> list[psutil.Process]:
    """The processes whose environment has all these marks."""
    found = []
    for process in psutil.process_iter():
        try:
            environ = process.environ()
        except psutil.Error:
            continue
        if all(environ.get(name) == value for name, value in marks.items()):
            found.append(process)
    return found


def eldest(processes: list[psutil.Process]) -> psutil.Process | None:
    """The one that the others come from."""
    return min(processes, key=lambda each: each.create_time(), default=None)


async def gone(processes: list[psutil.Process], limit: float) -> list[psutil.Process]:
    """Wait for processes to end; those that are left after ``limit`` seconds."""
    _, left = await asyncio.to_thread(psutil.wait_procs, processes, timeout=limit)
    still: list[psutil.Process] = left
    return still


def tail(path: Path) -> str:
    """The last lines of a server's log."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-12:])


def told(path: Path, mark: str) -> str:
    """What the last of the log's lines says that begins with a mark; nothing if none does."""
    lines = [line for line in tail(path).splitlines() if line.startswith(mark)]
    return lines[-1].removeprefix(mark) if lines else ""
