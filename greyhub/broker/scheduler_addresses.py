"""Where a scheduler may listen: it is its user's, and the broker and its proxy connect there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from greyhub.rendezvous.addresses import is_within

SAID = ("scheduler_address", "dashboard_address", "api_address")
"""The fields of a heartbeat that are addresses."""


def refused(heartbeat: Mapping[str, Any], networks: Sequence[str]) -> str:
    """Why an address that a scheduler says of itself cannot be used; empty if all can.

    Parameters
    ----------
    heartbeat : mapping
        What it says.
    networks : sequence of str
        Where it may listen, ``10.1.0.0/16``, at a port from 1024.
    """
    for name in SAID:
        url = str(heartbeat.get(name) or "")
        if url and not _is_in(url, networks):
            return (
                f"its scheduler says that it listens at {url!r}, which is not in "
                f"{', '.join(networks)}.\n  fix: where that is a network of your jobs, the "
                "administrator adds it to c.AzureMLCluster.networks"
            )
    return ""


def _is_in(url: str, networks: Sequence[str]) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        return False
    return is_within(host, port, networks)
