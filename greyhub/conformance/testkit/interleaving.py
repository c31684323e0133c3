"""Run two calls at once in every order: one is stopped at each of its steps.

Where the backend is behind a proxy, a step is a request on its way or a reply
on its way back. Elsewhere it is each call of the operating system that the
calling thread makes, before and after, by Python's own profiler; an adapter that
makes none, because all is in memory, is stopped at each of its functions.
"""

from __future__ import annotations

import io
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

from greyhub.conformance.testkit.faults import FaultProxy

SYSTEM = frozenset({"posix", "io", "_io", "fcntl"})

POINTS = 20
"""At how many steps a race is tried, at most."""

LONGEST, TOGETHER = 0.25, 2.5
"""Seconds that a call is stopped at most for another one, which may be waiting for it; and
all that are tried for one race."""

Step = Callable[[bool], None]
"""Is told whether the step leads out of the process."""


@contextmanager
def stepping(proxy: FaultProxy | None, step: Step) -> Iterator[None]:
    """Call a function at each step; what it does itself is none."""
    busy = threading.Lock()

    def once(out: bool) -> None:
        if busy.acquire(blocking=False):
            try:
                step(out)
            finally:
                busy.release()

    with _profiled(once) if proxy is None else proxy.between(lambda request: once(True)):
        yield


@contextmanager
def _profiled(step: Step) -> Iterator[None]:
    def watch(frame: FrameType, event: str, called: Any) -> None:
        if event in ("c_call", "c_return"):
            if _leads_out(called):
                step(True)
        elif event == "call":
            step(False)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)


def _leads_out(called: Any) -> bool:
    owner = getattr(called, "__self__", None)
    return getattr(called, "__module__", None) in SYSTEM or isinstance(
        owner, io.IOBase | socket.socket
    )


@dataclass
class Outcome:
    """What a call came to."""

    value: Any = None
    error: Exception | None = None

    @property
    def won(self) -> bool:
        """Whether it did what it was to do."""
        return self.error is None

    @classmethod
    def of(cls, call: Callable[[], Any]) -> Outcome:
        """Call it."""
        try:
            return cls(call())
        except Exception as error:
            return cls(error=error)


Watching = Callable[[Step], AbstractContextManager[Any]]


def races(
    watching: Watching,
    choices: random.Random,
    first: Callable[[int], Any],
    second: Callable[[int], Any],
) -> Iterator[tuple[int, Outcome, Outcome]]:
    """Stop one call at each of its steps, and let another one be done meanwhile.

    Each function is given the number of the round. Where the second waits for
    the first, the first goes on after a while.
    """
    steps = [0, 0]

    def count(out: bool) -> None:
        steps[out] += 1

    began = time.monotonic()
    with watching(count):
        Outcome.of(lambda: first(0))
    pause = min(LONGEST, max(0.02, 5 * (time.monotonic() - began)))
    out = steps[True] > 0
    tried = min(POINTS, steps[out], int(TOGETHER / pause))
    points = choices.sample(range(steps[out]), tried)
    for number, point in enumerate(sorted(points), 1):
        calls = partial(first, number), partial(second, number)
        yield number, *_race(watching, *calls, point, out, pause)


def _race(
    watching: Watching,
    first: Callable[[], Any],
    second: Callable[[], Any],
    point: int,
    out: bool,
    pause: float,
) -> tuple[Outcome, Outcome]:
    other: list[Outcome] = []
    thread = threading.Thread(target=lambda: other.append(Outcome.of(second)), daemon=True)
    left = point

    def step(leads_out: bool) -> None:
        nonlocal left
        if leads_out is out:
            left -= 1
            if left == -1:
                thread.start()
                thread.join(pause)

    with watching(step):
        one = Outcome.of(first)
    if thread.ident is None:
        thread.start()
    thread.join()
    return one, other[0]
