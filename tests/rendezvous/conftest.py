"""A rendezvous that is served on loopback, and agents that ask it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application

from greyhub.agent.hub import Hub
from greyhub.rendezvous.handlers import RendezvousHandler
from greyhub.rendezvous.machines import Offer
from greyhub.rendezvous.protocol import PATH, SCHEMAS, Keys
from greyhub.rendezvous.service import Rendezvous

SECRET = "not for others"
NETWORKS = ["10.1.0.0/16"]


class Place:
    """A hub's rendezvous."""

    def __init__(self) -> None:
        self.rendezvous = Rendezvous(hold=1, log=logging.getLogger("tests.rendezvous"))
        handler = (
            rf"/hub/{PATH}/({'|'.join(SCHEMAS)})",
            RendezvousHandler,
            {"rendezvous": self.rendezvous},
        )
        # As JupyterHub's: a cookie would be asked for.
        self.server = HTTPServer(Application([handler], xsrf_cookies=True))
        listening, self.port = bind_unused_port()
        self.server.add_socket(listening)
        self.url = f"http://127.0.0.1:{self.port}/hub/"

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
    made.server.stop()
    await made.server.close_all_connections()


def offering(**environment: str) -> Callable[[], Any]:
    """What a Spawner offers."""

    async def make() -> Offer:
        return Offer({"TOKEN": SECRET, **environment}, ["true"])

    return make
