"""What is to be looked at, and when: the paths that may have changed."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from greyhub.homespace.sync.records import Remote

REST: Final = 0.25
"""Seconds for which a path that changes is left to rest."""

AT_MOST: Final = 1.0
"""Seconds after which it is looked at even if it goes on changing."""


@dataclass
class Item:
    """One path on the agenda."""

    at: float
    """When it is to be looked at."""
    since: float
    """When it first changed."""
    rank: float = 0.0
    tries: int = 0
    reason: str = ""
    """Why the last try came to nothing, for people."""
    stuck: bool = False
    """Trying again is of no use before something else changes."""
    remote: list[Remote | None] = field(default_factory=list)
    """The path in the store, if that was asked for."""
    ending: bool = False
    """It is to go from the store, and has only waited for what comes first."""


class Agenda:
    """All paths that may need something done. Safe to use from several threads.

    Parameters
    ----------
    clock : Callable[[], float]
        A clock that never goes back.
    grew : Callable[[], None]
        Called when something was added.
    """

    def __init__(self, clock: Callable[[], float], grew: Callable[[], None]) -> None:
        self.clock, self.grew = clock, grew
        self.items: dict[str, Item] = {}
        self._heap: list[tuple[float, float, str]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, path: str) -> bool:
        return path in self.items

    def note(self, paths: Iterable[str], *, rest: float = REST) -> None:
        """Paths that may have changed here just now."""
        now = self.clock()
        with self._lock:
            for path in paths:
                item = self.items.get(path)
                if item is None:
                    self._put(path, Item(now + rest, now))
                elif not item.tries:
                    self._put(path, item, min(now + rest, max(now, item.since + AT_MOST)))
                else:
                    item.since = now
        self.grew()

    def found(self, path: str, remote: Remote | None, rank: float = 0.0) -> None:
        """A path that changed in the store, and what it is there."""
        now = self.clock()
        with self._lock:
            item = self.items.setdefault(path, Item(now, now))
            item.rank, item.remote = rank, [remote]
            self._put(path, item, now)
        self.grew()

    def later(self, path: str, item: Item, delay: float, reason: str = "") -> None:
        """Look at it again after a while; what was noted meanwhile is not lost."""
        with self._lock:
            newer = self.items.get(path)
            if newer is not None:
                item.remote = newer.remote or item.remote
            item.reason = reason
            self._put(path, item, self.clock() + delay)

    def due(self) -> tuple[str, Item] | None:
        """The next path that is due; it is off the agenda until it is put back."""
        now = self.clock()
        with self._lock:
            while self._heap and self._heap[0][0] <= now:
                at, _, path = heapq.heappop(self._heap)
                item = self.items.get(path)
                if item is not None and item.at == at:
                    del self.items[path]
                    return path, item
        return None

    def wait(self) -> float:
        """Seconds until something is due; infinite if nothing is."""
        with self._lock:
            while self._heap:
                at, _, path = self._heap[0]
                if path in self.items and self.items[path].at == at:
                    return max(0.0, at - self.clock())
                heapq.heappop(self._heap)
        return float("inf")

    def hurry(self) -> None:
        """Everything is due now, whatever it was waiting for."""
        now = self.clock()
        with self._lock:
            for path, item in self.items.items():
                if not item.ending:  # what is new goes first
                    self._put(path, item, now)

    def all(self) -> list[Item]:
        """All items as they are now."""
        with self._lock:
            return list(self.items.values())

    def drop(self, unwanted: Callable[[str], bool]) -> None:
        """Take paths off the agenda."""
        with self._lock:
            for path in [path for path in self.items if unwanted(path)]:
                del self.items[path]

    def reasons(self) -> dict[str, str]:
        """What is not done yet, with the reason if a try came to nothing."""
        with self._lock:
            return {path: item.reason for path, item in self.items.items()}

    def _put(self, path: str, item: Item, at: float | None = None) -> None:
        if at is not None:
            item.at = at
        self.items[path] = item
        heapq.heappush(self._heap, (item.at, item.rank, path))
