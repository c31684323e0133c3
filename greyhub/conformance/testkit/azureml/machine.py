"""The virtual machine of a compute instance, and its setup scripts as the API has them."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.machine.host import Process

SCRIPT_LIMIT = 15 * 60.0
"""Seconds that a setup script may run if it does not say."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class ScriptFailed(Exception):
    """A setup script ended badly, or the machine did."""


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
