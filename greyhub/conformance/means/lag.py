"""How long an event loop was held, and by what."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

TICK = 0.01
"""Seconds between two signs of life of the loop."""


@dataclass
class Held:
    """The longest that the loop was held while it was watched."""

    seconds: float = 0.0
    where: str = ""
    """The innermost function of those that are watched, with its file and line."""

    def __str__(self) -> str:
        return f"{self.seconds * 1000:.0f} ms" + (f" in {self.where}" if self.where else "")


class LagMonitor:
    """Watches the loop of one thread, from its start: a tick in the loop, a clock outside.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        Runs in the thread already, or will.
    thread : threading.Thread
        The one whose stack tells what held the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        self._loop, self._thread = loop, thread
        self._ticked = time.monotonic()
        self._watched: Held | None = None
        self._files: frozenset[str] = frozenset()
        self._over = threading.Event()
        loop.call_soon_threadsafe(self._tick)
        threading.Thread(target=self._watch, name=f"{thread.name}-lag", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()

    @contextmanager
    def watching(self, *files: str) -> Iterator[Held]:
        """The longest that code of these files holds the loop during the block.

        What they call counts as theirs. Without files, everything counts: also
        what is not the adapter's, such as the hub's own database.
        """
        held = Held()
        self._files = frozenset(files)
        # Only what begins in the block counts.
        self._ticked = time.monotonic()
        self._watched = held
        try:
            yield held
        finally:
            self._watched = None

    def _tick(self) -> None:
        if not self._over.is_set():
            self._ticked = time.monotonic()
            self._loop.call_later(TICK, self._tick)

    def _watch(self) -> None:
        """See from outside what runs while the loop does not tick."""
        while not self._over.wait(TICK):
            held, late = self._watched, time.monotonic() - self._ticked - TICK
            if held is None or late < 4 * TICK or late < held.seconds:
                continue
            frame = sys._current_frames().get(self._thread.ident or 0)
            if frame is None:
                continue
            stack = traceback.extract_stack(frame, limit=80)
            theirs = [each for each in stack if each.filename in self._files]
            if theirs or not self._files:
                held.seconds = late
                last = (theirs or stack)[-1]
                held.where = f"{last.name} ({last.filename}:{last.lineno})"
