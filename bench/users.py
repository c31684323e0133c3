"""Many users of one hub, who start and stop their servers as browsers do."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from tests.support.hubs import Hub


class Users:
    """Many users at their browsers."""

    def __init__(self, hub: Hub, count: int, at_once: int) -> None:
        self.hub, self.names = hub, [f"user{number:04}" for number in range(count)]
        self.at_once = at_once
        self.failed: dict[str, str] = {}

    async def __aenter__(self) -> Users:
        self.session = ClientSession(
            self.hub.url,
            headers={"Authorization": f"token {self.hub.token}"},
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=1200),
        )
        for start in range(0, len(self.names), 100):
            body = {"usernames": self.names[start : start + 100]}
            async with self.session.post("hub/api/users", json=body) as answer:
                answer.raise_for_status()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.session.close()

    async def each(self, act: Callable[[str], Awaitable[None]]) -> float:
        """Let all act, some at one time; how many seconds that takes."""
        waiting, began = iter(self.names), time.perf_counter()

        async def one_after_another() -> None:
            for name in waiting:
                try:
                    await act(name)
                except Exception as error:
                    self.failed[name] = repr(error)

        await asyncio.gather(*(one_after_another() for _ in range(self.at_once)))
        return time.perf_counter() - began

    async def start(self, name: str) -> None:
        while True:
            async with self.session.post(f"hub/api/users/{name}/server") as answer:
                said = await answer.text()
                if answer.status != 429:  # too many are being started: it says when to ask again
                    break
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
        if answer.status >= 400:
            self.failed[name] = said
            return
        last: dict[str, Any] = {}
        async with self.session.get(f"hub/api/users/{name}/server/progress") as answer:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    last = json.loads(line[6:])
        if not last.get("ready"):
            self.failed[name] = str(last.get("message", "no word"))

    async def stop(self, name: str) -> None:
        async with self.session.delete(f"hub/api/users/{name}/server") as answer:
            if answer.status != 204:
                self.failed[name] = await answer.text()
