"""The queue of paths that may have changed, each with the time at which it is due."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from greyhub.homespace.sync.records import Remote

REST: Final = 0.25
"""Seconds for which nothing changes before what changed is looked at: work is not disturbed,
and what comes and goes meanwhile is never sent."""

AT_MOST: Final = 1.5
"""Seconds after which a path is looked at even if work goes on."""

LATER: Final = float("inf")
"""When a path is looked at that rests."""

Due = tuple[float, float, str]
"""When a path is to be looked at, its rank, and the path."""


@dataclass
class Item:
    """One path on the queue."""

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
    here: bool = True
    """Something may have changed here, and not only in the store."""
    ending: bool = False
    """It is to go from the store, and has only waited for what comes first."""


class WorkQueue:
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
        self._heap: list[Due] = []
        self._resting: dict[str, Item] = {}
        """What changed and rests, the oldest first."""
        self._calm = 0.0
        """When nothing will have changed for long enough."""
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
                    found = Item(now, now)
                    self._let_rest(path, found) if rest else self._put(path, found)
                    continue
                item.here = True
                if item.tries:
                    item.since = now
                elif not rest:
                    self._put(path, item, now)
            if rest:
                self._calm = now + rest
        self.grew()

    def found(self, path: str, remote: Remote | None, rank: float = 0.0) -> None:
        """A path that changed in the store, and what it is there."""
        now = self.clock()
        with self._lock:
            item = self.items.setdefault(path, Item(now, now, here=False))
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

    def coming(self, most: int) -> list[str]:
        """The paths that are due next; they stay on the queue."""
        now = self.clock()
        found: list[Due] = []
        with self._lock:
            self._end_rest(now)
            while len(found) < most and (entry := self._next(now)):
                found.append(entry)
            for entry in found:
                heapq.heappush(self._heap, entry)
        return [path for _, _, path in found]

    def due(self) -> tuple[str, Item] | None:
        """The next path that is due; it is off the queue until it is put back."""
        now = self.clock()
        with self._lock:
            self._end_rest(now)
            entry = self._next(now)
            return (entry[2], self.items.pop(entry[2])) if entry else None

    def _next(self, now: float) -> Due | None:
        """Take the next entry that is due off the heap."""
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            if self._stands(entry):
                return entry
        return None

    def _stands(self, entry: Due) -> bool:
        item = self.items.get(entry[2])
        return item is not None and item.at == entry[0]

    def _let_rest(self, path: str, item: Item) -> None:
        item.at = LATER
        self._resting.pop(path, None)  # a place that it left otherwise
        self.items[path] = self._resting[path] = item

    def _end_rest(self, now: float) -> None:
        """What has rested for long enough is due."""
        while self._resting and now >= self._waking():
            path, item = self._oldest()
            del self._resting[path]
            if self.items.get(path) is item and item.at == LATER:
                self._put(path, item, now)

    def _waking(self) -> float:
        """When the next path has rested for long enough."""
        return min(self._calm, self._oldest()[1].since + AT_MOST)

    def _oldest(self) -> tuple[str, Item]:
        return next(iter(self._resting.items()))

    def wait(self) -> float:
        """Seconds until something is due; infinite if nothing is."""
        now = self.clock()
        with self._lock:
            while self._heap and not self._stands(self._heap[0]):
                heapq.heappop(self._heap)
            first = self._heap[0][0] if self._heap else LATER
            if self._resting:
                first = min(first, self._waking())
        return max(0.0, first - now)

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
        """Take paths off the queue."""
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
