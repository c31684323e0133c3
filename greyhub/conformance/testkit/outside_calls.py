"""Connections and processes that a piece of code begins, by Python's audit events."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from greyhub.conformance.case import shorten

EVENTS = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.sendto",
        "subprocess.Popen",
        "os.system",
        "os.posix_spawn",
        "os.fork",
        "os.exec",
    }
)

_watching: dict[int, list[str]] = {}
_hooked = False


@contextmanager
def outside() -> Iterator[list[str]]:
    """The connections and processes that this thread begins during the block."""
    global _hooked
    if not _hooked:
        # An audit hook stays for ever; this one costs a look-up where nobody watches.
        sys.addaudithook(_hear)
        _hooked = True
    seen = _watching[threading.get_ident()] = []
    try:
        yield seen
    finally:
        del _watching[threading.get_ident()]


def _hear(event: str, args: tuple[object, ...]) -> None:
    if _watching and event in EVENTS:
        seen = _watching.get(threading.get_ident())
        if seen is not None:
            seen.append(f"{event} {shorten(args[-1])}")
