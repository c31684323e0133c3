"""How long an event loop was held, and by what."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

TICK = 0.01
"""Seconds between two signs of life of the loop."""


@dataclass
class Held:
    """The longest that the loop was held while it was watched."""

    seconds: float = 0.0
    where: list[str] = field(default_factory=list)
    """The innermost frames of what held it: ``file:line function``."""

    def __str__(self) -> str:
        at = f" in {self.where[-1]}" if self.where else ""
        return f"{self.seconds * 1000:.0f} ms{at}"


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
        self._over = threading.Event()
        loop.call_soon_threadsafe(self._tick)
        threading.Thread(target=self._watch, name=f"{thread.name}-lag", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()

    @contextmanager
    def watching(self) -> Iterator[Held]:
        """The longest that the loop is held during the block, known at its end."""
        held = Held()
        # Only what begins in the block counts.
        self._ticked = time.monotonic()
        self._watched = held
        try:
            yield held
            # A hold that goes on is seen only when it ends, or when it is looked at.
            self._note(time.monotonic())
        finally:
            self._watched = None

    def _tick(self) -> None:
        if self._over.is_set():
            return
        now = time.monotonic()
        self._note(now)
        self._ticked = now
        self._loop.call_later(TICK, self._tick)

    def _note(self, now: float) -> None:
        held = self._watched
        if held is not None and now - self._ticked - TICK > held.seconds:
            held.seconds = now - self._ticked - TICK

    def _watch(self) -> None:
        """See from outside what runs while the loop does not tick."""
        while not self._over.wait(TICK * 2):
            held, late = self._watched, time.monotonic() - self._ticked
            if held is None or late < 0.05 or late < held.seconds:
                continue
            frame = sys._current_frames().get(self._thread.ident or 0)
            if frame is not None:
                stack = traceback.extract_stack(frame, limit=60)
                held.where = [f"{f.filename}:{f.lineno} {f.name}" for f in stack][-6:]
