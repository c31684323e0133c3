"""Worker threads for transfers: small ones do not wait for large ones.

Nor does what waits for the disk queue behind what waits for the store.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

from greyhub.homespace.sync.syscalls import allowed, processor, stay, threads

Lane = Literal["small", "large", "disk"]
Result = tuple[str, Any, BaseException | None]

LARGE: Final = 8 << 20
"""Bytes from which a transfer goes in the lane for large ones."""

WIDTH: Final[dict[Lane, int]] = {"small": 24, "large": 3, "disk": 1}


class Workers:
    """Sets of threads that do work and hand back what came of it.

    The threads never keep a process from ending. Those for small things, and the thread that
    hands them out, share one processor: they hold the interpreter in turn, and on several
    processors the handing over takes as long as all else. But who works on that processor would
    have to share it as well, so beside other work they are to `spread`.
    """

    def __init__(self) -> None:
        self._results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._tasks: dict[Lane, queue.SimpleQueue[tuple[str, Callable[[], Any]]]] = {
            lane: queue.SimpleQueue() for lane in WIDTH
        }
        self._threads = dict.fromkeys(WIDTH, 0)
        self._given = dict.fromkeys(WIDTH, 0)
        self._everywhere, self._processor = allowed(), processor()
        self._near = {self._processor}

    def room(self, lane: Lane) -> int:
        """How many more should be started now: what waits here can no longer change its order.

        None as long as there is enough: then many at once, since that costs less.
        """
        given, enough = self._given[lane], 2 * WIDTH[lane]
        return 2 * enough - given if given < enough else 0

    def start(self, lane: Lane, name: str, work: Callable[[], Any]) -> None:
        """Have work done; its result comes under its name."""
        self._given[lane] += 1
        self._tasks[lane].put((name, work))
        if self._threads[lane] < min(WIDTH[lane], self._given[lane]):
            self._threads[lane] += 1
            threading.Thread(target=self._serve, args=(lane,), daemon=True).start()

    def take(self, timeout: float) -> list[Result]:
        """What is finished; waits for something, but no longer than ``timeout`` seconds."""
        taken = []
        try:
            result = self._results.get(timeout=timeout) if timeout > 0 else self._now()
            while True:
                if result is not None:
                    taken.append(result)
                result = self._now()
        except queue.Empty:
            return taken

    def wake(self) -> None:
        """End the waiting of `take`."""
        self._results.put(None)

    def _now(self) -> Result | None:
        return self._results.get_nowait()

    def spread(self, yes: bool) -> None:
        """Have what is small done on all processors, or on one again."""
        self._near = set(self._everywhere) if yes else {self._processor}
        if yes:
            for thread in threads():  # a library's are where those are that they began for
                stay(self._everywhere, thread)

    @contextmanager
    def together(self) -> Iterator[None]:
        """This thread shares the processor of those for small things for a while."""
        before = allowed()
        stay(self._near)
        try:
            yield
        finally:
            stay(before)

    def _serve(self, lane: Lane) -> None:
        place: set[int] | None = None
        while True:
            name, work = self._tasks[lane].get()
            if place is not (near := self._near if lane == "small" else self._everywhere):
                stay(near)
                place = near
            try:
                result: Result = (name, work(), None)
            except Exception as error:
                result = (name, None, error)
            self._given[lane] -= 1
            self._results.put(result)
