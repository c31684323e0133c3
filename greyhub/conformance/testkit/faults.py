"""An HTTP proxy between an adapter and its backend that causes faults.

It passes every request on until it is told a fault: then it refuses, waits,
answers nonsense, or lets the backend do the work and loses the reply.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.testkit.http_messages import (
    Request,
    answer,
    body_length,
    read_request,
    reset,
)

KINDS = {
    "refused": "nothing listens at the endpoint",
    "reset": "the connection is reset before anything is done",
    "slow": "the request reaches the backend after `seconds`",
    "throttled": "the backend answers 429",
    "unavailable": "the backend answers 503",
    "error": "the backend answers 500",
    "rejected": "the backend answers 403: a quota, a policy, an option",
    "nonsense": "the backend answers 200 with a page of HTML",
    "truncated": "half of the reply arrives",
    "lost": "the backend does the work, the reply is lost",
    "late": "the backend does the work, the reply comes after `seconds`",
}
"""Every fault by name, and what happens then."""

STATUS = {
    "throttled": (429, "Too Many Requests"),
    "unavailable": (503, "Service Unavailable"),
    "error": (500, "Internal Server Error"),
    "rejected": (403, "Forbidden"),
}

LIMIT = 1 << 24


@dataclass
class _Plan:
    kind: str
    matches: Callable[[Request], bool]
    left: float
    seconds: float
    hit: threading.Event = field(default_factory=threading.Event)


class FaultProxy:
    """Stands at an endpoint, in a thread of its own.

    Parameters
    ----------
    upstream : str
        The backend's real URL, http or https; the path of it is kept.
    tls : ssl.SSLContext, optional
        Speak TLS, with the certificate in it: some clients send no credential otherwise.
    trust : ssl.SSLContext, optional
        Whom to trust at the backend; by default, whom the system does.
    """

    def __init__(
        self,
        upstream: str,
        tls: ssl.SSLContext | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.upstream, self._tls, self._trust = urlsplit(upstream), tls, trust
        self.requests: list[Request] = []
        self._plans: list[_Plan] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._step: Callable[[Request], None] | None = None
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._port = 0
        threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True).start()
        self._call(self._listen())

    @property
    def url(self) -> str:
        """What the adapter is given instead of the backend's URL."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._port}{self.upstream.path}"

    def close(self) -> None:
        """End it."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def fault(
        self,
        kind: str,
        *,
        method: str = "",
        path: str = "",
        times: int | None = None,
        seconds: float = 3.0,
        matches: Callable[[Request], bool] | None = None,
    ) -> Iterator[threading.Event]:
        """Break requests while the block lasts; gives an event that is set when one was broken.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        method, path : str
            Only requests with this method, or with this in their path. Several
            methods are written with spaces between.
        times : int
            Only so many requests; by default all.
        seconds : float
            How long, for ``slow`` and ``late``.
        matches : callable
            Any other choice: is given the request.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no fault: there are {', '.join(KINDS)}")
        methods = method.split()

        def chosen(request: Request) -> bool:
            return (
                (not methods or request.method in methods)
                and path in request.path
                and (matches is None or matches(request))
            )

        plan = _Plan(kind, chosen, float("inf") if times is None else times, seconds)
        if kind == "refused" and not (methods or path or matches or times):
            self._call(self._unlisten())
            plan.hit.set()
        else:
            self._plans.append(plan)
        try:
            yield plan.hit
        finally:
            if plan in self._plans:
                self._plans.remove(plan)
            if self._server is None:
                self._call(self._listen())

    @contextmanager
    def between(self, step: Callable[[Request], None]) -> Iterator[None]:
        """Call a function around each request while the block lasts, in another thread.

        It is called before the request is passed on, and again when the reply is
        there and nobody has it yet; the request waits for it.
        """
        self._step = step
        try:
            yield
        finally:
            self._step = None

    def _call(self, coroutine: object) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10 * PATIENCE)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, limit=LIMIT, ssl=self._tls
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def _unlisten(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _end(self) -> None:
        await self._unlisten()
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Python 3.11 keeps no hold of a connection's task, and may collect it at work.
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            head, request = await read_request(reader, writer)
            plan = self._take(request)
            self.requests.append(request)
            if plan is None and (step := self._step) is not None:
                await self._loop.run_in_executor(None, step, request)
                reply = await self._ask(head, request)
                await self._loop.run_in_executor(None, step, request)
                writer.write(reply)
                await writer.drain()
            elif plan is None:
                await self._pass_on(head, request, writer)
            else:
                await self._break(plan, head, request, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            reset(writer)
        finally:
            with suppress(OSError):
                writer.close()

    def _take(self, request: Request) -> _Plan | None:
        for plan in self._plans:
            if plan.left > 0 and plan.matches(request):
                plan.left -= 1
                request.fault = plan.kind
                return plan
        return None

    async def _break(
        self, plan: _Plan, head: bytes, request: Request, writer: asyncio.StreamWriter
    ) -> None:
        kind = plan.kind
        if kind in STATUS:
            await answer(writer, *STATUS[kind])
        elif kind == "nonsense":
            await answer(writer, 200, "OK", b"<html><body>Please log in</body></html>")
        elif kind in ("refused", "reset"):
            reset(writer)
        elif kind == "slow":
            plan.hit.set()
            await asyncio.sleep(plan.seconds)
            await self._pass_on(head, request, writer)
        else:
            reply = await self._ask(head, request)
            plan.hit.set()
            if kind == "late":
                await asyncio.sleep(plan.seconds)
                writer.write(reply)
                await writer.drain()
            elif kind == "truncated":
                writer.write(reply[: max(1, len(reply) - max(1, body_length(reply) // 2))])
                await writer.drain()
            else:
                reset(writer)
        plan.hit.set()

    async def _ask(self, head: bytes, request: Request) -> bytes:
        """The backend's whole reply."""
        reader, writer = await self._connect()
        try:
            writer.write(head + request.body)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    async def _pass_on(self, head: bytes, request: Request, out: asyncio.StreamWriter) -> None:
        """The backend's reply as it comes: it may be a stream without an end."""
        try:
            reader, writer = await self._connect()
        except OSError:
            await answer(out, 502, "Bad Gateway")
            return
        try:
            writer.write(head + request.body)
            await writer.drain()
            while part := await reader.read(1 << 16):
                out.write(part)
                await out.drain()
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        secure = self.upstream.scheme == "https"
        context = (self._trust or ssl.create_default_context()) if secure else None
        port = self.upstream.port or (443 if secure else 80)
        return await asyncio.open_connection(self.upstream.hostname, port, ssl=context)
