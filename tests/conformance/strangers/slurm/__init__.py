"""A stand-in for Slurm: three commands on files, whose jobs are processes of this machine.

``sbatch``, ``squeue`` and ``scancel`` speak as Slurm's own do, of what a Spawner asks: a
job's number, its state and its host, the errors of a controller that cannot be reached.
A job is a session of its own; scancel sends SIGTERM, and SIGKILL a second later.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

COMMANDS = Path(__file__).with_name("slurm.sh")
START = Path(__file__).with_name("start.py")


class Slurm:
    """One controller, whose files are in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "jobs").mkdir()

    def command(self, name: str) -> str:
        """How a Spawner calls one of the three."""
        return f"/bin/bash {COMMANDS} {self.directory} {name}"

    @property
    def start(self) -> str:
        """What stands in for batchspawner-singleuser, which imports JupyterHub for each job."""
        return f"{sys.executable} -I -S {START}"

    def jobs(self) -> dict[str, psutil.Process]:
        """The jobs that run, by their numbers: the processes that lead them."""
        found = {}
        for path in (self.directory / "jobs").iterdir():
            try:
                process = psutil.Process(int(path.read_text() or 0))
                if process.status() != psutil.STATUS_ZOMBIE and process.pid:
                    found[path.name] = process
            except (psutil.NoSuchProcess, ValueError, FileNotFoundError):
                continue
        return found

    @contextmanager
    def fault(self, kind: str, moment: str, times: int | None, seconds: float) -> Iterator[Hit]:
        """Break the commands of a moment while a block lasts; None times is always."""
        path = self.directory / "fault"
        what = {"create": "sbatch", "delete": "scancel", "any": "*"}[moment]
        number = 10**6 if times is None else times
        path.with_suffix(".new").write_text(f"{kind} {what} {number} {seconds}\n")
        os.replace(path.with_suffix(".new"), path)
        try:
            yield Hit(self.directory / "hit")
        finally:
            path.unlink(missing_ok=True)  # a command may be at it
            (self.directory / "hit").unlink(missing_ok=True)


class Hit(threading.Event):
    """Set when the fault was met: the commands leave a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def is_set(self) -> bool:
        return self.path.exists()

    def wait(self, timeout: float | None = None) -> bool:
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while not self.is_set() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.is_set()
