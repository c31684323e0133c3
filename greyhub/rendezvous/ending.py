"""The end of a machine that JupyterHub has not asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Ending:
    """At most one end at a time, which is given up where the machine is needed again."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it has begun, and not ended."""
        return self._task is not None and not self._task.done()

    def begin(self, end: Callable[[], Awaitable[None]]) -> None:
        """Begin, unless it has begun already."""
        if not self.goes_on:
            self._task = asyncio.ensure_future(end())

    async def give_up(self) -> None:
        """Do not go on; what a request of it has begun elsewhere does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
