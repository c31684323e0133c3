"""The provider's HTTP server, in a thread of its own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.testkit.certificates import ADDRESS
from greyhub.conformance.testkit.provider import endpoints
from greyhub.conformance.testkit.provider.accounts import Accounts
from greyhub.conformance.testkit.provider.records import Fault, Seen

Answer = Callable[[Seen], Awaitable[endpoints.Reply]]
"""What replies to a request."""


class Server:
    """Serves a provider's accounts on a port of its own, in a thread of its own.

    Parameters
    ----------
    provider : Accounts
        What the endpoints know; it learns nothing of the server but its requests.
    answer : callable
        The reply to a request.
    context : ssl.SSLContext
        With it, TLS is spoken.
    """

    def __init__(
        self, provider: Accounts, answer: Answer, context: ssl.SSLContext | None = None
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="provider", daemon=True)
        self._thread.start()
        sockets = bind_sockets(0, ADDRESS)
        port: int = sockets[0].getsockname()[1]
        self.url = f"{'https' if context else 'http'}://{ADDRESS}:{port}"

        async def begin() -> HTTPServer:
            application = Application(
                [(".*", Handler, {"provider": provider, "answer": answer})], log_function=_silence
            )
            server = HTTPServer(application, ssl_options=context)
            server.add_sockets(sockets)
            return server

        self._server = asyncio.run_coroutine_threadsafe(begin(), self._loop).result(10 * PATIENCE)

    def close(self) -> None:
        """End it."""

        async def finish() -> None:
            self._server.stop()
            await self._server.close_all_connections()

        asyncio.run_coroutine_threadsafe(finish(), self._loop).result(10 * PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5 * PATIENCE)


def _silence(handler: RequestHandler) -> None:
    """The provider logs nothing: what is in the log is the hub's."""


class Handler(RequestHandler):
    """Every request: note it, break it if told to, answer it."""

    provider: Accounts
    answer: Answer

    def initialize(self, provider: Accounts, answer: Answer) -> None:
        """Tornado's way to give a handler its things."""
        self.provider, self.answer = provider, answer

    async def get(self) -> None:
        """Answer as `greyhub.conformance.testkit.provider.endpoints` says."""
        seen = endpoints.read(self.request)
        fault = next((each for each in self.provider.faults if _matches(each, seen)), None)
        if fault is not None:
            fault.left -= 1
            seen.fault = fault.kind
        self.provider.seen.append(seen)
        if fault is not None:
            fault.hit.set()
            if await self._break(fault, seen):
                return
        reply = await self.answer(seen)
        if seen.fault == "lost":
            cast(Any, self.request.connection).stream.close()
            return
        self._reply(reply)

    post = head = get

    async def _break(self, fault: Fault, seen: Seen) -> bool:
        """Whether the request has been dealt with."""
        if fault.kind in ("hang", "hold"):
            await asyncio.shield(asyncio.wrap_future(fault.over))
        if fault.kind == "hold":
            return False
        if fault.kind in ("hang", "reset"):
            cast(Any, self.request.connection).stream.close()
            return True
        reply = endpoints.broken(fault.kind, seen)
        if reply is None:
            return False
        self._reply(reply)
        return True

    def _reply(self, reply: endpoints.Reply) -> None:
        self.set_status(reply.status)
        for name, value in reply.headers.items():
            self.set_header(name, value)
        self.finish(reply.body or None)


def _matches(fault: Fault, seen: Seen) -> bool:
    return fault.left > 0 and fault.endpoint in (seen.endpoint, "any")
