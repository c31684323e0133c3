"""How the hub speaks to the process of the tunnels, and keeps one running."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import greyhub
from greyhub.errors import GreyHubError

SOCKET: Final = "tunnel.sock"
"""The socket's name in the hub's private directory."""

VARIABLE: Final = "GREYHUB_TUNNEL"
"""The variable that tells the process its directory."""

PASSED: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")

SERVICE: Final = "greyhub-tunnel"
"""The name by which the hub's proxy knows the process."""

STARTED: Final = 30.0
"""Seconds in which the process starts."""


class TunnelFailed(GreyHubError):
    """There is no process for tunnels, and none can be started."""


class Tunnels:
    """The process of the tunnels.

    Parameters
    ----------
    directory : Path
        The hub's private directory.
    port : int
        The port of loopback that agents dial by way of the hub's proxy.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self.directory, self.port = directory, port
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def service(self) -> dict[str, Any]:
        """For ``c.JupyterHub.services``: lets the hub's proxy lead agents there."""
        return {"name": SERVICE, "url": f"http://127.0.0.1:{self.port}"}

    async def reach(self, name: str, key: str, port: int = 0) -> tuple[str, int]:
        """The address of this machine by which a remote one is reached.

        Parameters
        ----------
        name : str
            Whose it is.
        key : str
            The agent's public signing key.
        port : int
            The port that it had, if it had one.
        """
        await self.ensure()
        answer = await self.ask("set", name=name, key=key, port=port)
        return "127.0.0.1", answer["port"]

    async def drop(self, name: str) -> None:
        """Nobody reaches the machine any more."""
        try:
            await self.ask("drop", name=name)
        except OSError:
            return  # no process, no tunnel

    def drop_soon(self, name: str) -> None:
        """`drop`, for who cannot wait."""
        with suppress(RuntimeError):  # no loop, no hub
            task = asyncio.get_running_loop().create_task(self.drop(name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def ensure(self) -> None:
        """Go on with the process of an earlier hub, or start one.

        Raises
        ------
        TunnelFailed
            It does not start.
        """
        async with self._lock:
            deadline = time.monotonic() + STARTED
            started = False
            while time.monotonic() < deadline:
                try:
                    if (await self.ask("hello"))["version"] == greyhub.__version__:
                        return
                    await self.ask("end")  # agents dial the next one
                except (OSError, ValueError):
                    if not started:
                        started = True
                        self.start()
                await asyncio.sleep(0.05)
            raise TunnelFailed(
                f"the process of the tunnels does not start: see {self.directory / 'tunnel.log'}\n"
                f"  fix: perhaps port {self.port} of this machine is taken: choose another"
            )

    async def ask(self, do: str, **fields: object) -> dict[str, Any]:
        """Ask the process.

        Raises
        ------
        OSError, ValueError
            There is none.
        """
        reader, writer = await asyncio.open_unix_connection(self.directory / SOCKET)
        try:
            writer.write(json.dumps({"do": do, **fields}).encode() + b"\n")
            async with asyncio.timeout(10):
                answer: dict[str, Any] = json.loads(await reader.readline())
        finally:
            writer.close()
        return answer

    def start(self) -> None:
        """Start the process, which ends at once where there is one."""
        # Of the hub's own environment, what Python needs: there may be secrets in the rest.
        environment = {name: os.environ[name] for name in PASSED if name in os.environ}
        with (self.directory / "tunnel.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "greyhub.rendezvous.tunnel.process", str(self.port)],
                env={**environment, VARIABLE: str(self.directory)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
