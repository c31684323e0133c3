"""The agent's side of a tunnel: it dials out, proves who it is, and connects to its server."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from typing import Final

from greyhub.agent import websocket
from greyhub.agent.hub import say
from greyhub.rendezvous.protocol import Keys
from greyhub.rendezvous.tunnel.streams import Streams

PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between two tries, of which the last stays."""


class Tunnel(threading.Thread):
    """A tunnel to one address of this machine, dialled again whenever it ends.

    Parameters
    ----------
    url : str
        Where it is dialled: ``https://hub.example.org/services/greyhub-tunnel/``.
    context : ssl.SSLContext
        Who may vouch for the hub.
    keys : Keys
        The agent's.
    host, port : str, int
        The server's address. Nothing else is connected to.
    """

    def __init__(self, url: str, context: ssl.SSLContext, keys: Keys, host: str, port: int) -> None:
        super().__init__(daemon=True)
        self.url, self.context, self.keys = url, context, keys
        self.host, self.port = host, port
        self._pauses = iter(PAUSES)
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Until `end`."""
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._dial_again())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            return

    def end(self) -> None:
        """The server has ended: so does its tunnel."""
        self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    async def _dial_again(self) -> None:
        while True:
            try:
                await self._dial()
            except (OSError, ValueError, KeyError) as ended:
                say(f"no tunnel to {self.url}: {ended}")
            await asyncio.sleep(next(self._pauses, PAUSES[-1]))

    async def _dial(self) -> None:
        """One tunnel, until it ends."""
        socket = await websocket.connect(self.url, self.context)
        try:
            challenge = json.loads(await socket.receive())["challenge"]
            await socket.send(self.keys.request("tunnel", challenge, {}), websocket.TEXT)
            streams = Streams(socket.send, self._connect)
            try:
                while True:
                    await streams.received(await socket.receive())
                    self._pauses = iter(PAUSES)
            finally:
                await streams.close()
        finally:
            socket.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port)
