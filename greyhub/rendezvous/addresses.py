"""To which addresses the hub's proxy may be sent."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from traitlets import TraitError


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
    if is_within(host, port, networks):
        return ""
    return (
        f"the agent says that the server listens at {host!r} port {port}, which is not in "
        f"{', '.join(networks) or 'any network that is allowed'}\n"
        "  fix: where that is a machine of yours, add its network to the spawner's option "
        "server_networks"
    )


def is_within(host: str, port: int, networks: Sequence[str]) -> bool:
    """Whether an address is of one of some networks, and its port one that users may have."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return port >= 1024 and any(address in ipaddress.ip_network(each) for each in networks)


def valid_networks(option: str, networks: Sequence[str]) -> list[str]:
    """The value of an option that names networks.

    Raises
    ------
    TraitError
        One of them is none.
    """
    for each in networks:
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            raise TraitError(f"{option}: {error}\n  fix: write networks as '10.1.0.0/16'") from None
    return list(networks)
