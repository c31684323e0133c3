"""Threads for what waits on a store: small things do not queue behind large ones."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Final, Literal

Lane = Literal["small", "large"]
Result = tuple[str, Any, BaseException | None]

LARGE: Final = 8 << 20
"""Bytes from which a transfer goes in the lane for large ones."""

WIDTH: Final[dict[Lane, int]] = {"small": 24, "large": 3}


class Lanes:
    """Two sets of threads that do work and hand back what came of it.

    The threads never keep a process from ending.
    """

    def __init__(self) -> None:
        self._results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._tasks: dict[Lane, queue.SimpleQueue[tuple[str, Callable[[], Any]]]] = {
            lane: queue.SimpleQueue() for lane in WIDTH
        }
        self._threads = dict.fromkeys(WIDTH, 0)
        self._given = dict.fromkeys(WIDTH, 0)

    def room(self, lane: Lane) -> bool:
        """Whether more should be started now: what waits here can no longer change its order."""
        return self._given[lane] < 2 * WIDTH[lane]

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

    def _serve(self, lane: Lane) -> None:
        while True:
            name, work = self._tasks[lane].get()
            try:
                result: Result = (name, work(), None)
            except Exception as error:
                result = (name, None, error)
            self._given[lane] -= 1
            self._results.put(result)
