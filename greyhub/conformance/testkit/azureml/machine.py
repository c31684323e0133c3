"""Machines and jobs as processes of this host, which end with the simulator."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import psutil

INSIDE = Path(__file__).with_name("inside.py")
COMMAND = [sys.executable, "-IS", str(INSIDE)]
ISOLATED = ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child", *COMMAND]

SCRIPT_LIMIT = 15 * 60.0
"""Seconds that a setup script may run if it does not say."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class ScriptFailed(Exception):
    """A setup script ended badly, or the machine did."""


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
        self.cut(grace)
        try:
            await asyncio.wait_for(self._process.wait(), grace + 5)
        except TimeoutError:
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            await self._process.wait()
        self._process = None

    def cut(self, grace: float = 0) -> None:
        """Begin the end, without waiting for it."""
        self._write(f"{grace}")

    def pids(self) -> list[int]:
        """Every process of it that lives, as this host numbers them."""
        if self._process is None or self._process.returncode is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(self._process.pid)
            every = [top, *top.children(recursive=True)]
            return [each.pid for each in every if _alive(each)]
        return []

    def _write(self, line: str) -> None:
        if self._process and self._process.stdin:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._process.stdin.write(line.encode() + b"\n")


class Machine(Process):
    """The virtual machine of one instance; its disk is its folder.

    Parameters
    ----------
    scripts : mapping
        ``creationScript`` and ``startupScript``, as the API has them.
    isolate : bool
        Give it a mount and a pid namespace of its own.
    """

    def __init__(self, name: str, folder: Path, scripts: dict[str, Any], *, isolate: bool) -> None:
        super().__init__(folder)
        found = {kind: scripts.get(f"{kind}Script") for kind in ("creation", "startup")}
        read = {kind: read_script(script) for kind, script in found.items() if script}
        self._spec = {"kind": "instance", "name": name, "scripts": read, "isolate": isolate}

    async def boot(self) -> None:
        """Start it and wait until its scripts have ended.

        Raises
        ------
        ScriptFailed
            One has not ended well, in time.
        """
        await self.start(self._spec)
        said = await self.event()
        if failed := said.get("failed", "The machine died while its scripts ran."):
            raise ScriptFailed(failed)

    async def shut_down(self) -> None:
        """As a machine is stopped: its services have two seconds."""
        await self.end(2)

    async def kill(self) -> None:
        """As a machine dies."""
        await self.end()

    def cut_power(self) -> None:
        """As a machine dies, without waiting for it."""
        self.cut()


def read_script(script: dict[str, Any]) -> dict[str, Any]:
    """A setup script's text, arguments and limit.

    Raises
    ------
    ValueError
        It cannot be run.
    """
    if script.get("scriptSource") != "inline":
        raise ValueError("scriptSource must be 'inline': no other is simulated")
    text = base64.b64decode(script.get("scriptData") or "", validate=True).decode()
    limit = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", script.get("timeout") or f"{SCRIPT_LIMIT}")
    if limit is None:
        raise ValueError(f"timeout {script['timeout']!r} is no number with s, m, h or d")
    return {
        "text": text,
        "arguments": script.get("scriptArguments") or "",
        "timeout": float(limit[1]) * _UNITS[limit[2]],
    }


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
