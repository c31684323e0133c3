"""List a user's clusters at a dask-gateway, with what their schedulers tell."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from dask_gateway import Gateway
from dask_gateway.client import ClusterReport, ClusterStatus
from distributed.core import rpc

from greyhub.clusters import gateway_calls, gateway_reports, left_behind
from greyhub.clusters.gateway_cluster import BrokerCluster
from greyhub.clusters.gateway_errors import in_words
from greyhub.clusters.listing import ClusterEntry


def entries(where: Mapping[str, Any], *, broker: bool) -> list[ClusterEntry]:
    """Those that start or run."""
    with gateway_calls.opened(where) as gateway:
        found: list[tuple[ClusterReport, int | None]] = gateway.sync(_ask, gateway)
    return [
        ClusterEntry(
            name=report.name,
            status=report.status.name.lower(),
            started=report.start_time,
            workers=workers,
            server=(report.options or {}).get("server") if broker else None,
            _join=partial(BrokerCluster.from_name, report.name, broker=broker, **where),
            _end=partial(_end, where, report.name),
        )
        for report, workers in found
    ]


async def _ask(gateway: Gateway) -> list[tuple[ClusterReport, int | None]]:
    await left_behind.end_all()
    try:
        async with asyncio.timeout(4 * gateway_reports.SOON):
            reports = await gateway._clusters()
    except Exception as error:
        raise in_words(error, gateway.address) from error
    numbers = await asyncio.gather(*(_workers(gateway, each) for each in reports))
    return list(zip(reports, numbers, strict=True))


async def _workers(gateway: Gateway, report: ClusterReport) -> int | None:
    """How many workers a running cluster has; None if its scheduler does not say."""
    if report.status != ClusterStatus.RUNNING:
        return None
    try:
        async with asyncio.timeout(gateway_reports.SOON):
            full = await gateway._cluster_report(report.name)
            secure = full.security.get_connection_args("client")
            async with rpc(full.scheduler_address, connection_args=secure) as scheduler:
                return int((await scheduler.identity(n_workers=0))["n_workers"])
    except Exception:  # it ends at this moment, or its image speaks another Dask
        return None


def _end(where: Mapping[str, Any], name: str) -> None:
    with gateway_calls.opened(where) as gateway:
        gateway.sync(gateway_calls.end, gateway, name)
