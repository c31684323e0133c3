"""How a gateway's cluster shows itself, at every status."""

from __future__ import annotations

from html import escape
from typing import Any

from dask.utils import format_bytes


def facts(cluster: Any) -> dict[str, str]:
    """What there is to say of it, in order."""
    told = {"status": cluster.status}
    if cluster.reason:
        told["reason"] = cluster.reason
    if cluster.status == "running":
        workers = cluster.scheduler_info.get("workers", {}).values()
        told["workers"] = str(len(workers))
        told["threads"] = str(sum(each.get("nthreads", 0) for each in workers))
        told["memory"] = format_bytes(sum(each.get("memory_limit") or 0 for each in workers))
    return told


def text(cluster: Any) -> str:
    """Its ``repr``."""
    told = ", ".join(f"{name}={value}" for name, value in facts(cluster).items())
    return f"BrokerCluster({cluster.name}, {told})"


def html(cluster: Any) -> str:
    """A table, with the link to the dashboard."""
    cells = {name: escape(value) for name, value in facts(cluster).items()}
    if cluster.dashboard_link and cluster.status == "running":
        link = escape(cluster.dashboard_link)
        cells["dashboard"] = f'<a href="{link}" target="_blank">{link}</a>'
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{cell}</td></tr>"
        for name, cell in cells.items()
    )
    return f"<strong>Cluster {escape(str(cluster.name))}</strong><table>{rows}</table>"
