"""Clusters that could not be ended, since their gateway was away: ended when it is back.

Tried with whatever this process next asks of a gateway, and once more as it exits.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

from dask_gateway import Gateway, GatewayCluster

from greyhub.clusters import gateway_calls
from greyhub.errors import ClusterError

_left: dict[str, dict[str, Any]] = {}


def note(gateway: Gateway, name: str) -> None:
    """Remember a cluster that is to end."""
    _left[name] = {"address": gateway.address, "auth": gateway.auth}


async def end_all() -> list[str]:
    """End what is left; the names of what is still there."""
    await asyncio.gather(*(_end(name, told) for name, told in list(_left.items())))
    return list(_left)


async def _end(name: str, told: dict[str, Any]) -> None:
    async with Gateway(**told, asynchronous=True) as gateway:
        with suppress(ClusterError):
            await gateway_calls.end(gateway, name)
            _left.pop(name, None)


def _end_of_process() -> None:
    """End what a script has forgotten to close, and what is left."""
    for each in list(GatewayCluster._instances):
        if not each.asynchronous:
            with suppress(Exception):
                each.close()
    if _left:
        asyncio.run(end_all())


# Python's own atexit comes after the end of its pools of threads, and without these no name of
# a host can be looked up.
threading._register_atexit(_end_of_process)  # type: ignore[attr-defined]
