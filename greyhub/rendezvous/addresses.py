"""To which addresses the hub's proxy may be sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence


def refused_address(host: str, port: int, networks: Sequence[str] | None) -> str:
    """Why a server's address cannot be used; empty if it can.

    Parameters
    ----------
    host, port : str, int
        What an agent says.
    networks : sequence of str or None
        Where servers may listen; None where the hub does not connect there.
    """
    if networks is None:
        return ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address and port >= 1024 and any(address in ipaddress.ip_network(n) for n in networks):
        return ""
    return (
        f"the agent says that the server listens at {host!r} port {port}, which is not in "
        f"{', '.join(networks) or 'any network that is allowed'}\n"
        "  fix: where that is a machine of yours, add its network to the spawner's option "
        "server_networks"
    )
