"""Servers in a thread of their own, which others call into."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web

from greyhub.conformance.limits import PATIENCE
from greyhub.conformance.testkit.certificates import ADDRESS

T = TypeVar("T")


class Serving:
    """An event loop in a thread, and the servers that run in it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="azureml", daemon=True)
        self._runners: list[web.AppRunner] = []

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether it has been ended."""
        return self._loop.is_closed()

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10 * PATIENCE)
        self._loop.close()

    def call(self, act: Callable[[], T]) -> T:
        """What a function returns that is called in the thread."""

        async def do() -> T:
            return act()

        return self.wait(do())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine returns that runs in the thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30 * PATIENCE)

    async def listen(self, application: web.Application, context: ssl.SSLContext | None) -> int:
        """Serve on a port of loopback; its number."""
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, ADDRESS, 0, ssl_context=context).start()
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        """End the servers."""
        for runner in self._runners:
            await runner.cleanup()
