"""A simulated machine as its host sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import greyhub
from greyhub.conformance.testkit.machine.processes import below, parents

_PROGRAM = f"""
import sys
sys.path.insert(0, {str(Path(greyhub.__file__).parents[1])!r})
from greyhub.conformance.testkit.machine.first import main
main()
"""
COMMAND = [sys.executable, "-IS", "-c", _PROGRAM]
ISOLATED = ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", *COMMAND]


@cache
def can_isolate(folder: Path) -> bool:
    """Whether machines get namespaces of their own: it takes root, and a kernel that lets."""
    if os.geteuid() or not shutil.which("unshare"):
        return False
    with tempfile.TemporaryDirectory(dir=folder) as disk:
        spec = json.dumps({"kind": "try", "disk": disk}) + "\n"
        ended = subprocess.run(ISOLATED, input=spec.encode(), capture_output=True)
    return ended.returncode == 0


class Process:
    """A simulated machine's first process, with all that is below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, spec: dict[str, Any]) -> None:
        """Start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ISOLATED if spec.get("isolate") else COMMAND
        with self.folder.joinpath("machine.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._write(json.dumps(spec | {"disk": str(self.folder)}))

    async def event(self) -> dict[str, Any]:
        """What it says next; nothing if it has died."""
        assert self._process
        assert self._process.stdout
        line = await self._process.stdout.readline()
        return dict(json.loads(line)) if line else {}

    async def end(self, grace: float = 0) -> None:
        """SIGTERM to everything on it, SIGKILL after ``grace`` seconds."""
        if self._process is None:
            return
        self._write(f"{grace}")
        try:
            await asyncio.wait_for(self._process.wait(), grace + 5)
        except TimeoutError:
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            await self._process.wait()
        self._process = None

    def pids(self, every: dict[int, int] | None = None) -> list[int]:
        """Every process of it that lives, as this host numbers them; by `parents`."""
        if self._process is None or self._process.returncode is not None:
            return []
        every, top = parents() if every is None else every, self._process.pid
        return [top, *below(top, every)] if top in every else []

    def _write(self, line: str) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._process.stdin.write(line.encode() + b"\n")
