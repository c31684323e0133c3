"""A rendezvous that is served on loopback, and agents that ask it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.testing import bind_unused_port
from tornado.web import Application

from greyhub.agent.hub import Hub
from greyhub.rendezvous.handlers import ROUTE, RendezvousHandler
from greyhub.rendezvous.offers import Offer
from greyhub.rendezvous.protocol import Keys
from greyhub.rendezvous.service import Rendezvous

SECRET = "not for others"
NETWORKS = ["10.1.0.0/16"]


class Losing(RendezvousHandler):
    """Loses answers, and gives others in their place."""

    def initialize(self, place: Place) -> None:  # type: ignore[override]
        super().initialize(place.rendezvous)
        self.lose, self.instead = place.lose, place.instead

    async def post(self, what: str) -> None:
        if self.instead.get(what):
            status, body = self.instead[what].pop(0)
            self.set_status(status)
            return self.finish(body)
        if what not in self.lose:
            return await super().post(what)
        answer = await self.rendezvous.answer(what, bytes(self.body), "127.0.0.1")
        if answer.status == 200:
            self.lose.discard(what)
            self.request.connection.stream.close()  # type: ignore[union-attr]
        else:
            self.set_status(answer.status)
            self.finish(json.dumps(answer.fields))
        return None


class Place:
    """A hub's rendezvous."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.rendezvous = Rendezvous(hold=1, log=logging.getLogger("tests.rendezvous"))
        self.lose: set[str] = set()
        """Kinds of requests whose next answer is lost."""
        self.instead: dict[str, list[tuple[int, bytes]]] = {}
        """What is answered next to requests of a kind, which the hub does not get."""
        listening, self.port = bind_unused_port()
        self._serve([listening], tls)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/hub/"

    def _serve(self, sockets: list[socket.socket], tls: ssl.SSLContext | None) -> None:
        handler = (f"/hub{ROUTE}", Losing, {"place": self})
        # As JupyterHub's: a cookie would be asked for.
        self.server = HTTPServer(Application([handler], xsrf_cookies=True), ssl_options=tls)
        self.server.add_sockets(sockets)

    async def leave(self) -> None:
        """Be away."""
        self.server.stop()
        await self.server.close_all_connections()

    def come_back(self, tls: ssl.SSLContext | None = None) -> None:
        """Be there again, at the same address."""
        self._serve(bind_sockets(self.port, "127.0.0.1"), tls)

    def machine(self, user: str = "ada", server: str = "") -> Any:
        return self.rendezvous.machine(user, server)

    def agent(self, keys: Keys | None = None) -> Asking:
        return Asking(self.url, keys or Keys.make())


class Asking:
    """An agent's requests, one at a time."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.keys, self.hub = keys, Hub(url, keys)

    async def ask(self, what: str, **fields: object) -> dict[str, Any]:
        return await asyncio.to_thread(lambda: self.hub.ask(what, **fields))

    async def register(self, nonce: str) -> dict[str, Any]:
        return await self.ask(
            "register", nonce=nonce, sealing=self.keys.public.sealing, machine={"hostname": "m"}
        )

    async def boot(self, after: str = "", status: int = 0, log: str = "") -> dict[str, Any]:
        return await self.ask("boot", after=after, status=status, log=log)

    async def report(
        self, run: str, host: str = "10.1.0.5", port: int = 8888, wait: bool = False
    ) -> dict[str, Any]:
        return await self.ask("report", run=run, host=host, port=port, wait=wait)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place()
    yield made
    await made.leave()


def offering(**environment: str) -> Callable[[], Any]:
    """What a Spawner offers."""

    async def make() -> Offer:
        return Offer({"TOKEN": SECRET, **environment}, ["true"])

    return make
