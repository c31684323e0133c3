"""Wait for what others may change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress


class News:
    """Told by one, heard by all who wait."""

    def __init__(self) -> None:
        self._told = asyncio.Event()

    def tell(self) -> None:
        """Something is another way."""
        told, self._told = self._told, asyncio.Event()
        told.set()

    async def next(self) -> None:
        """Wait until something is."""
        await self._told.wait()

    async def hold(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until something is true, but no longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not ready():
                    await self.next()
