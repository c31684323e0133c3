"""One list for all who look: asked for once in a while, and again after a change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from greyhub.azureml.errors import AzureMLError, Unavailable

APART: Final = 1.0
"""Seconds between two lists, at least, also where much changes."""

Items = Mapping[str, Any]


class SharedList:
    """What one request lists, for everybody who asks within an interval.

    Parameters
    ----------
    load : callable
        Asks for all items, by name.
    interval : float
        Seconds for which an answer, also one that could not be had, serves everybody.
    """

    def __init__(self, load: Callable[[], Awaitable[Items]], interval: float) -> None:
        self._load, self.interval = load, interval
        self.items: Items = {}
        """The last answer that there was."""
        self._answered: float | None = None
        self._trouble: AzureMLError | None = None
        self._began = self._ended = float("-inf")
        self._changed = 0
        self._seen = -1
        """How many changes there had been when the last request began."""
        self._task: asyncio.Task[None] | None = None

    @property
    def age(self) -> float | None:
        """Seconds since the last answer; None if there was none."""
        return None if self._answered is None else time.monotonic() - self._answered

    def changed(self) -> None:
        """Something was written: what was asked for before does not show it."""
        self._changed += 1

    async def look(self) -> Items:
        """The items by name, not older than the interval or the last change.

        Raises
        ------
        Unavailable
            They cannot be had. It tells how old the last answer is, which is in `items`.
        Refused
            Azure refuses to list them.
        """
        wanted = self._changed
        while self._seen < wanted or self._task is not None or self._stale():
            if self._task is None:
                self._task = asyncio.ensure_future(self._ask())
            await asyncio.shield(self._task)
            if self._seen >= wanted:
                break
        if isinstance(self._trouble, Unavailable):
            raise Unavailable(
                self._trouble.what + self._told(),
                self._trouble.fix,
                retry_after=self._trouble.retry_after,
                age=self.age,
            ) from self._trouble
        if self._trouble is not None:
            raise self._trouble
        return self.items

    def _stale(self) -> bool:
        return time.monotonic() - self._ended >= self.interval

    def _told(self) -> str:
        return "" if self.age is None else f"; the last answer is {self.age:.0f} s old"

    async def _ask(self) -> None:
        try:
            if (early := self._began + min(APART, self.interval) - time.monotonic()) > 0:
                await asyncio.sleep(early)
            self._began, self._seen = time.monotonic(), self._changed
            try:
                self.items = await self._load()
            except AzureMLError as error:
                self._trouble = error
            else:
                self._trouble, self._answered = None, self._began
            self._ended = time.monotonic()
        finally:
            self._task = None
