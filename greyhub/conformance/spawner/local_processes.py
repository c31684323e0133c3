"""Hooks for spawners whose servers are processes of this machine."""

from __future__ import annotations

import builtins
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest import mock

import psutil

from greyhub.conformance.spawner.case import RUN
from greyhub.conformance.spawner.suite import Running

YOUNG = 2.0
"""Seconds in which a process may still become another program, with another environment."""


class Processes:
    """The hooks of a suite, for servers that are processes here; stands before the suite.

    ``class TestMine(Processes, SpawnerSuite)``. A server is a process whose
    environment bears the run's mark, and whose parent's does not. Its labels are
    those variables that begin with `marks`.
    """

    run_id: str

    mode = "real"

    marks: str = "GREYHUB_"
    """What the names of the variables begin with by which servers are labelled."""

    faults = ("unreachable", "throttled", "unavailable", "error", "late")
    """The faults that a kernel has: it refuses to tell, to signal, or to fork."""

    _others: dict[int, float]
    """Processes that are not of this run, by the time of their start."""

    def alive(self) -> list[Running]:
        """The processes of this run."""
        mine = {process.pid: process for process in self._mine()}
        found = []
        for pid, process in mine.items():
            with suppress(psutil.Error):  # it may end meanwhile
                if process.ppid() not in mine:
                    found.append(Running(str(pid), self._labels(process), process.cmdline()))
        return found

    def kill(self, server: Running) -> None:
        """SIGKILL, to it and to what it has started."""
        try:
            process = psutil.Process(int(server.id))
            family = [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for each in family:
            try:
                os.kill(each.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def environment(self, server: Running) -> Mapping[str, str]:
        """What the kernel says of it."""
        found: dict[str, str] = psutil.Process(int(server.id)).environ()
        return found

    def fault(
        self, kind: str, moment: str, *, times: int | None = None, seconds: float = 3.0
    ) -> Any:
        """A kernel that refuses what the hub asks; the suite itself is not refused."""
        return _refusing(kind, moment, times, seconds)

    def _mine(self) -> Iterator[psutil.Process]:
        others = self.__dict__.setdefault("_others", {})
        for process in psutil.process_iter():
            try:
                born = process.create_time()
                if others.get(process.pid) == born:
                    continue
                if process.status() != psutil.STATUS_ZOMBIE and (
                    process.environ().get(RUN) == self.run_id
                ):
                    yield process
                elif time.time() - born > YOUNG:
                    others[process.pid] = born
            except psutil.Error:
                continue

    def _labels(self, process: psutil.Process) -> dict[str, str]:
        found = process.environ()
        return {k: v for k, v in found.items() if k.startswith(self.marks) and k != RUN}


@contextmanager
def _refusing(
    kind: str, moment: str, times: int | None, seconds: float
) -> Iterator[threading.Event]:
    hit = threading.Event()
    left = float("inf") if times is None else times
    lock = threading.Lock()

    def due() -> bool:
        """Whether this call, of a hub's thread, is one that is refused."""
        nonlocal left
        if threading.current_thread() is threading.main_thread():
            return False
        with lock:
            left -= 1
            hit.set()
            return left >= 0

    with ExitStack() as patches:
        for where, name, make in _patches(kind, moment, due, seconds):
            original = getattr(where, name)
            patches.enter_context(mock.patch.object(where, name, make(original)))
        yield hit


Patch = tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]]]


def _patches(kind: str, moment: str, due: Callable[[], bool], seconds: float) -> list[Patch]:
    def kill(original: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(pid: int, number: int) -> None:
            if (moment == "any" or number) and due():
                raise PermissionError(1, "Operation not permitted")
            original(pid, number)

        return refuse

    def read(original: Callable[..., Any]) -> Callable[..., Any]:
        error = OSError(24, "Too many open files") if kind == "throttled" else None

        def refuse(file: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(file, str) and file.startswith("/proc/") and due():
                raise error or PermissionError(13, "Permission denied", file)
            return original(file, *args, **kwargs)

        return refuse

    def fork(original: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
            if kind == "error" and due():
                raise BlockingIOError(11, "Resource temporarily unavailable")
            original(self, *args, **kwargs)
            if kind == "late" and not _in_a_loop() and due():
                time.sleep(seconds)

        return refuse

    if moment == "create":
        return [(subprocess.Popen, "__init__", fork)]
    if moment == "delete":
        return [(os, "kill", kill), (os, "killpg", kill)]
    return [(os, "kill", kill), (os, "killpg", kill), (builtins, "open", read)]


def _in_a_loop() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
