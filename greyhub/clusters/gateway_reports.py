"""What a dask-gateway tells of a cluster: whether it runs, why not, and where its scheduler is."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from dask_gateway import Gateway
from dask_gateway.client import ClusterReport, ClusterStatus
from distributed.comm import get_address_host_port

from greyhub.clusters.gateway_errors import in_words, is_away
from greyhub.errors import ClusterError

SOON: Final = 5.0
"""Seconds in which an answer is expected."""


async def running(gateway: Gateway, name: str, *, broker: bool) -> ClusterReport:
    """The report of a cluster, once it runs.

    Raises
    ------
    greyhub.errors.ClusterError
        It has failed or ended; says why.
    """
    while True:
        try:
            async with asyncio.timeout(8 * SOON):  # it answers within twenty
                report = await gateway._cluster_report(name, wait=True)
        except Exception as error:
            if not is_away(error):
                raise in_words(error, gateway.address) from error
        else:
            if report.status == ClusterStatus.RUNNING:
                return report
            if report.status > ClusterStatus.RUNNING:
                word = "failed to start" if report.status == ClusterStatus.FAILED else "has ended"
                why = await explained(gateway, name, broker=broker)
                raise ClusterError(f"the cluster {name} {word}{why}")
        await asyncio.sleep(0.5)


async def status(gateway: Gateway, name: str) -> ClusterStatus | None:
    """How a cluster is; None where the gateway cannot be asked."""
    try:
        async with asyncio.timeout(SOON):
            report = await gateway._cluster_report(name)
    except ValueError:  # it does not know it any more
        return ClusterStatus.STOPPED
    except Exception:
        return None
    return report.status


async def reason(gateway: Gateway, name: str, *, broker: bool) -> str:
    """Why a cluster failed, ended or still waits, in the broker's words; ``""`` if none knows."""
    if not (broker and name):
        return ""
    try:
        async with asyncio.timeout(SOON):
            return await _told(gateway, name, "reason")
    except Exception as error:
        return str(in_words(error, gateway.address)).partition("\n")[0] if is_away(error) else ""


async def _told(gateway: Gateway, name: str, what: str) -> str:
    """What greyhub's broker tells of a cluster beyond dask-gateway's report."""
    url = f"{gateway.address}/api/v1/clusters/{name}/{what}"
    answer = await (await gateway._request("GET", url)).json()
    return str(answer[what])


async def scheduler_address(gateway: Gateway, report: ClusterReport, *, broker: bool) -> str:
    """Where to reach a scheduler: itself, if this process can, or the gateway's proxy.

    What goes by the proxy is slower, and lost where that restarts: a scheduler forgets the
    results of a client whose connection breaks.
    """
    if broker:
        with suppress(Exception):
            async with asyncio.timeout(SOON):
                address = await _told(gateway, report.name, "address")
            if await reachable(address):
                return address
    return str(report.scheduler_address)


async def reachable(address: str) -> bool:
    """Whether something answers at an address of Dask's, in a second."""
    host, port = get_address_host_port(address, strict=True)
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # a TimeoutError is one, too
        return False
    writer.transport.abort()
    return True


async def explained(gateway: Gateway, name: str, *, broker: bool) -> str:
    """The reason, or where to look for it: the end of an error's sentence."""
    if told := await reason(gateway, name, broker=broker):
        return f": {told}"
    return (
        ", and the gateway does not say why\n"
        f"  fix: its administrators find more in its log, by the name {name}"
    )
