"""Ask a dask-gateway whether it is there, and for its version."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version

from greyhub.adapter import Finding
from greyhub.http_probe import Unreachable, ask, clock


async def gateway(address: str, option: str = "c.ClusterAdapter.options") -> list[Finding]:
    """What the dask-gateway at an address says of itself."""
    try:
        reply = await ask(f"{address.rstrip('/')}/api/version")
        theirs = str(json.loads(reply.text)["version"])
    except Unreachable as error:
        return [
            Finding(
                "error",
                f"no cluster can be made: {error}",
                "fix the address, or let this machine and the servers reach it",
                option=option,
            )
        ]
    except (ValueError, KeyError, TypeError):
        return [
            Finding(
                "error",
                f"what answers at {address} is no dask-gateway",
                "give the address of the gateway's API: the one that ends where /api begins",
                option=option,
            )
        ]
    return [_compared(theirs), *clock(reply, "the dask-gateway")]


def _compared(theirs: str) -> Finding:
    try:
        ours = version("dask-gateway")
    except PackageNotFoundError:
        ours = ""
    if ours and ours.split(".")[0] != theirs.split(".")[0]:
        return Finding(
            "warning",
            f"the dask-gateway is {theirs}, and its client here is {ours}: releases of different "
            "years are not made for each other",
            f"pip install 'dask-gateway=={theirs}' in the servers' environment, or upgrade the "
            "gateway",
        )
    return Finding("ok", f"a dask-gateway {theirs} answers")
