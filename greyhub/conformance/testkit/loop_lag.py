"""Measure how long an event loop was blocked, and by which code."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from greyhub.conformance.limits import PATIENCE

TICK = 0.01
"""Seconds between two signs of life of the loop."""


@dataclass
class Blocked:
    """The longest that the loop was held while it was watched."""

    seconds: float = 0.0
    where: str = ""
    """The innermost function of those that are watched, with its file and line."""

    def __str__(self) -> str:
        return f"{self.seconds * 1000:.0f} ms" + (f" in {self.where}" if self.where else "")


class LoopMonitor:
    """Watches the loop of one thread: a tick inside it, a clock outside.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        Runs in the thread already, or will.
    thread : threading.Thread
        The one whose stack tells what held the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        self._loop, self._thread = loop, thread
        self._ticked = self._queued = 0.0

    @contextmanager
    def watching(self, *files: str) -> Iterator[Blocked]:
        """The longest that code of these files holds the loop during the block.

        What they call counts as theirs. Without files, everything counts: also
        what is not the adapter's, such as the hub's own database.
        """
        held, over, ticking = Blocked(), threading.Event(), threading.Event()

        def tick() -> None:
            self._ticked, self._queued = time.monotonic(), _queued(self._thread)
            ticking.set()
            if not over.is_set():
                self._loop.call_later(TICK, tick)

        self._loop.call_soon_threadsafe(tick)
        # What is begun before the clock ticks would not be seen.
        ticking.wait(5 * PATIENCE)
        clock = threading.Thread(
            target=self._watch, args=(held, over, frozenset(files)), daemon=True
        )
        clock.start()
        try:
            yield held
        finally:
            over.set()
            clock.join(1)

    def _watch(self, held: Blocked, over: threading.Event, files: frozenset[str]) -> None:
        """See from outside what runs while the loop does not tick."""
        while not over.wait(TICK):
            late = time.monotonic() - self._ticked - TICK
            if late >= 4 * TICK:
                late -= _queued(self._thread) - self._queued
            if late < 4 * TICK or late < held.seconds:
                continue
            frame = sys._current_frames().get(self._thread.ident or 0)
            if frame is None:
                continue
            stack = traceback.extract_stack(frame, limit=80)
            theirs = [each for each in stack if each.filename in files]
            if theirs or not files:
                held.seconds = late
                last = (theirs or stack)[-1]
                held.where = f"{last.name} ({last.filename}:{last.lineno})"


def _queued(thread: threading.Thread) -> float:
    """Seconds that a thread has waited for a processor: nobody holds the loop meanwhile."""
    try:
        with open(f"/proc/self/task/{thread.native_id}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
