"""How many requests Azure lets a hub make, told by its answers, and shared by all who ask.

Sources: the headers ``Retry-After`` and ``x-ms-ratelimit-remaining-subscription-*``, as
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
documents them.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Final

KINDS: Final = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
"""What a method counts as; others are writes."""

AT_ONCE: Final = 8
"""Requests of one kind that are under way at a time, at most."""

RESERVE: Final = 20
"""Requests that are left for others: with fewer, the hub's own keep apart."""

APART: Final = 1.0
"""Seconds between two requests then."""

_LEFT: Final = re.compile(r"x-ms-ratelimit-remaining-subscription-(reads|writes|deletes)")


class Budget:
    """What may be asked now, by kind: ``reads``, ``writes``, ``deletes``."""

    def __init__(self) -> None:
        self.left: dict[str, int] = {}
        """Requests that remain, as the last answers told."""
        self._next: dict[str, float] = {}
        self._room: dict[str, asyncio.Semaphore] = {}

    def room(self, kind: str) -> asyncio.Semaphore:
        """What to hold while a request is under way."""
        return self._room.setdefault(kind, asyncio.Semaphore(AT_ONCE))

    def wait(self, kind: str) -> float:
        """Seconds to wait before the next request of a kind."""
        return max(0.0, self._next.get(kind, 0.0) - time.monotonic())

    def take(self, kind: str) -> None:
        """A request of a kind is made now."""
        if self.left.get(kind, RESERVE) < RESERVE:
            self.pause(kind, APART)

    def pause(self, kind: str, seconds: float) -> None:
        """Azure throttles a kind, for some seconds."""
        self._next[kind] = max(self._next.get(kind, 0.0), time.monotonic() + seconds)

    def note(self, headers: Mapping[str, str]) -> None:
        """Read what an answer says of what remains."""
        for name, value in headers.items():
            if (found := _LEFT.fullmatch(name.lower())) and value.isdigit():
                self.left[found[1]] = int(value)


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds that an answer asks to wait; 0 if it does not say."""
    for name, unit in (
        ("retry-after-ms", 0.001),
        ("x-ms-retry-after-ms", 0.001),
        ("Retry-After", 1),
    ):
        if _NUMBER.fullmatch(value := headers.get(name, "")):
            return float(value) * unit
    return 0.0


_NUMBER: Final = re.compile(r"\d{1,9}(\.\d+)?")
