"""Interleavings that are forced: what happens at each step of an adapter's call.

Where the backend is behind a proxy, a step is a request on its way or a reply
on its way back. Elsewhere it is each call of the operating system that the
calling thread makes, before and after, by Python's own profiler; an adapter that
makes none, because all is in memory, is stopped at each of its functions.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from greyhub.conformance.means.faults import FaultProxy

SYSTEM = frozenset({"posix", "io", "_io", "fcntl"})
POINTS = 24
"""At how many steps a race is tried, at most."""

PAUSE = 0.25
"""Seconds that a call is stopped for another one, which may be waiting for it."""


@contextmanager
def stepping(proxy: FaultProxy | None, step: Callable[[], None]) -> Iterator[None]:
    """Call a function at each step; what it does itself is none."""
    busy = threading.Lock()

    def once(*request: Any) -> None:
        if busy.acquire(blocking=False):
            try:
                step()
            finally:
                busy.release()

    with proxy.between(once) if proxy is not None else _profiled(once):
        yield


@contextmanager
def _profiled(step: Callable[[], None]) -> Iterator[None]:
    def watch(frame: FrameType, event: str, called: Any) -> None:
        if (event in ("c_call", "c_return") and _of_system(called)) or event == "call":
            step()

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)


def _of_system(called: Any) -> bool:
    owner = getattr(called, "__self__", None)
    return getattr(called, "__module__", None) in SYSTEM or isinstance(
        owner, io.IOBase | socket.socket
    )
