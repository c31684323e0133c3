"""The hub's side of tunnels: ``python -m greyhub.rendezvous.tunnel.process PORT``.

Agents dial the port, behind the hub's proxy, and prove their keys. Each machine has a port of
loopback, to which the hub's proxy connects as to a server of this machine. The hub says which
machines there are, by a socket in the directory; users' traffic does not pass the hub, and a
hub that starts again finds this process. It ends when there has been no machine for a while,
or its socket is gone.
"""

from __future__ import annotations

import asyncio
import fcntl
import hmac
import json
import logging
import os
import secrets
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tornado.web import Application
from tornado.websocket import WebSocketClosedError, WebSocketHandler

import greyhub
from greyhub.rendezvous.protocol import BadMessage, parse
from greyhub.rendezvous.tunnel.control import SOCKET, VARIABLE
from greyhub.rendezvous.tunnel.streams import CHUNK, HEAD, Broken, Streams

PATIENCE: Final = 15.0
"""Seconds that a connection waits for its machine's tunnel, and a tunnel for its proof."""

IDLE: Final = 600.0
"""Seconds without any machine after which the process ends."""

LOOK: Final = 5.0
"""Seconds between two looks at whether it is so."""

STRANGERS: Final = 100
"""Tunnels at a time that have not proven their keys."""

log = logging.getLogger("greyhub.rendezvous.tunnel")


class Machine:
    """One machine's port of loopback, and its tunnel."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.port = 0
        self.tunnel: AgentHandler | None = None
        self.dialled = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def listen(self, wish: int) -> None:
        """Take the port that is wished for, or any where that is taken."""
        try:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", wish)
        except OSError:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while self.tunnel is None:
                    self.dialled.clear()
                    await self.dialled.wait()
            await self.tunnel.streams.carry(reader, writer)
        except (TimeoutError, Broken):
            writer.transport.abort()

    def take(self, tunnel: AgentHandler) -> None:
        """An agent has dialled: the tunnel before, if there is one, is dead or will be."""
        if self.tunnel is not None:
            self.tunnel.close()
        self.tunnel = tunnel
        self.dialled.set()

    def close(self) -> None:
        """Nothing leads to the machine any more."""
        if self._server:
            self._server.close()
        if self.tunnel is not None:
            self.tunnel.close()


class AgentHandler(WebSocketHandler):
    """The tunnel of one agent."""

    machines: dict[str, Machine]
    strangers = 0

    def initialize(self, machines: dict[str, Machine]) -> None:
        """Tornado's way to give a handler its things."""
        self.machines = machines

    def prepare(self) -> None:
        """Refuse browsers, whose pages may share the hub's origin with other users'."""
        if {"Origin", "Sec-Fetch-Site"} & set(self.request.headers):
            self.send_error(403)

    def open(self, *args: str) -> Any:
        """Ask for a proof."""
        self.machine: Machine | None = None
        self.streams = Streams(self._send)
        self.challenge = secrets.token_urlsafe(24)
        AgentHandler.strangers += 1
        self._counted = True
        if AgentHandler.strangers > STRANGERS:
            self.close()
            return None
        asyncio.get_running_loop().call_later(PATIENCE, self._close_unless_known)
        return self.write_message(json.dumps({"challenge": self.challenge}))

    def _close_unless_known(self) -> None:
        if self.machine is None:
            self.close()

    async def _send(self, message: bytes) -> None:
        try:
            await self.write_message(message, binary=True)
        except WebSocketClosedError:
            raise Broken("the tunnel has ended") from None

    async def on_message(self, message: str | bytes) -> None:
        """The proof, and then what the streams carry."""
        try:
            if self.machine is not None and isinstance(message, bytes):
                await self.streams.received(message)
            elif self.machine is None and isinstance(message, str):
                self._prove(message.encode())
            else:
                raise BadMessage("a message out of turn")
        except (Broken, BadMessage) as error:
            log.warning("a tunnel from %s is closed: %s", self.request.remote_ip, error)
            self.close()

    def _prove(self, message: bytes) -> None:
        request = parse("tunnel", message)
        for machine in self.machines.values():
            if hmac.compare_digest(machine.key, request.key):
                break
        else:
            raise BadMessage("nobody's key")
        right = hmac.compare_digest(request.fields["challenge"].encode(), self.challenge.encode())
        if not right or not request.is_signed():
            raise BadMessage("no proof of its key")
        self.machine = machine
        self._known()
        machine.take(self)

    def _known(self) -> None:
        if self._counted:
            self._counted = False
            AgentHandler.strangers -= 1

    def on_close(self) -> None:
        """Its connections end."""
        self._known()
        if self.machine is not None and self.machine.tunnel is self:
            self.machine.tunnel = None
        self._closing = asyncio.get_running_loop().create_task(self.streams.close())


class Control:
    """What the hub asks for: a line of JSON, and one back."""

    def __init__(self, machines: dict[str, Machine]) -> None:
        self.machines = machines
        self.ended = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        with suppress(OSError, ValueError, KeyError):
            asked = json.loads(await reader.readline())
            answer = await getattr(self, f"_{asked.pop('do')}")(**asked)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _hello(self) -> dict[str, Any]:
        return {"version": greyhub.__version__}

    async def _set(self, name: str, key: str, port: int) -> dict[str, Any]:
        machine = self.machines.get(name)
        if machine is None or machine.key != key:
            if machine is not None:
                machine.close()
            machine = self.machines[name] = Machine(key)
            await machine.listen(port)
        return {"port": machine.port, "dialled": machine.tunnel is not None}

    async def _drop(self, name: str) -> dict[str, Any]:
        if machine := self.machines.pop(name, None):
            machine.close()
        return {}

    async def _end(self) -> dict[str, Any]:
        self.ended.set()
        return {}


async def serve(directory: Path, port: int) -> None:
    """Serve until the hub says that it is over."""
    machines: dict[str, Machine] = {}
    options: dict[str, Any] = {
        "websocket_ping_interval": 20,
        "websocket_ping_timeout": 20,
        "websocket_max_message_size": HEAD.size + CHUNK,
    }
    Application([(r".*", AgentHandler, {"machines": machines})], **options).listen(
        port, "127.0.0.1"
    )
    control = Control(machines)
    path = directory / SOCKET
    path.unlink(missing_ok=True)
    async with await asyncio.start_unix_server(control.answer, path):
        last = time.monotonic()
        while path.exists() and time.monotonic() - last < IDLE and not control.ended.is_set():
            if machines:
                last = time.monotonic()
            with suppress(TimeoutError):
                await asyncio.wait_for(control.ended.wait(), LOOK)
    path.unlink(missing_ok=True)


def main() -> None:
    """Serve, if no other process does for this directory."""
    directory, port = Path(os.environ[VARIABLE]), int(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.umask(0o077)
    with (directory / "tunnel.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        asyncio.run(serve(directory, port))


if __name__ == "__main__":
    main()
