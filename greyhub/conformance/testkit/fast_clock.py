"""Let the clock of a hub's event loop run faster, so that its time-outs expire sooner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from greyhub.conformance.testkit.hub import Hub


@contextmanager
def fast_clock(hub: Hub, pace: float) -> Iterator[None]:
    """Let the clock of a hub's event loop run `pace` times as fast while a block lasts.

    Only the timeouts of the loop come sooner: what waits in a thread waits as ever.
    """
    loop: asyncio.AbstractEventLoop = hub.run(asyncio.get_running_loop)
    hub.run(_run_at, loop, pace)
    try:
        yield
    finally:
        if hub.running:
            hub.run(_run_at, loop, 1.0)


def _run_at(loop: asyncio.AbstractEventLoop, pace: float) -> None:
    # The clock never jumps, neither on nor back: timers are in its order.
    said, then = loop.time(), time.monotonic()
    loop.time = lambda: said + (time.monotonic() - then) * pace  # type: ignore[method-assign]
