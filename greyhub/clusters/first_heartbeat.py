"""Tell the broker of a scheduler as soon as it runs.

A preload of `dask scheduler`, after dask-gateway's own, which waits for a quarter of a second
before its first heartbeat: the user waits, too.
"""

from __future__ import annotations

import asyncio
from typing import Any


async def dask_setup(scheduler: Any) -> None:
    """End that wait."""
    await asyncio.sleep(0)  # until it has begun
    await scheduler.services["gateway"].waiter.interrupt()
