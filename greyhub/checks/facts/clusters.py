"""What may be true of Dask clusters."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from greyhub.checks.facts.fact import Fact
from greyhub.checks.facts.servers import servers_elsewhere
from greyhub.checks.platform import Platform
from greyhub.class_names import made_from
from greyhub.public_address import is_loopback


def _cluster_class(platform: Platform) -> Any:
    return getattr(platform.adapters.get("cluster"), "cluster_class", None)


def _gateway(platform: Platform) -> bool:
    return made_from(_cluster_class(platform), "GatewayCluster")


def gateway_address(platform: Platform) -> str:
    """The address that notebooks will use for a dask-gateway."""
    options = getattr(platform.adapters.get("cluster"), "options", None) or {}
    environment = platform.value("Spawner", "environment") or {}
    return str(options.get("address") or environment.get("DASK_GATEWAY__ADDRESS") or "")


def _gateway_reachable(platform: Platform) -> bool:
    host = urlparse(gateway_address(platform)).hostname or ""
    return not is_loopback(host) or not servers_elsewhere(platform)


def _cluster_in_server(platform: Platform) -> bool:
    return made_from(type(platform.adapters.get("cluster")), "LocalCluster")


def _class_in_server(platform: Platform) -> bool:
    return made_from(_cluster_class(platform), "LocalCluster")


def _workers_limited(platform: Platform) -> bool:
    options = getattr(platform.adapters.get("cluster"), "options", None) or {}
    written = (platform.is_set("LocalCluster", each) for each in ("max_workers", "memory_limit"))
    return {"n_workers", "memory_limit"} <= {*options} or all(written)


CLUSTERS: tuple[Fact, ...] = (
    Fact(
        "cluster-of-a-gateway",
        "clusters come from a dask-gateway",
        _gateway,
        'set c.GreyHub.cluster = "dask_gateway.GatewayCluster"',
    ),
    Fact(
        "gateway-addressed",
        "notebooks are told the address of the dask-gateway",
        lambda platform: bool(gateway_address(platform)),
        'set c.ClusterAdapter.options = {"address": "http://…"}',
    ),
    Fact(
        "gateway-reachable",
        "the address of the dask-gateway can be reached from where servers run",
        _gateway_reachable,
        "give the gateway an address in c.ClusterAdapter.options that servers can reach",
    ),
    Fact(
        "cluster-in-server",
        "clusters run inside the user's own server",
        _cluster_in_server,
        'set c.GreyHub.cluster = "local"',
    ),
    Fact(
        "cluster-class-in-server",
        "clusters of Dask's own class run inside the user's own server",
        _class_in_server,
        'set c.GreyHub.cluster = "distributed.LocalCluster"',
    ),
    Fact(
        "workers-limited",
        "it is said how many workers there may be, and of which size",
        _workers_limited,
        "set c.LocalCluster.max_workers and memory_limit to what a server may use",
    ),
)
