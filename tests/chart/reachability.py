"""Who reaches whom, as NetworkPolicies have it.

https://kubernetes.io/docs/concepts/services-networking/network-policies/: a pod that no policy
selects takes and opens all connections; one that some select, those that one of them allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

Peer = Mapping[str, str] | str
"""The labels of a pod of the namespace, or an address outside of the cluster."""


def reaches(
    policies: Sequence[Any], source: Peer, target: Peer, port: int | str, ports: Mapping[str, int]
) -> bool:
    """Whether a TCP connection is allowed.

    Parameters
    ----------
    port : int or str
        Its number, or its name among ``ports``, those of the target.
    """
    number = ports.get(port, 0) if isinstance(port, str) else port
    return all(
        _allows(policies, way, here, there, number, ports)
        for way, here, there in (("Egress", source, target), ("Ingress", target, source))
        if not isinstance(here, str)
    )


def _allows(
    policies: Sequence[Any],
    way: str,
    here: Mapping[str, str],
    there: Peer,
    port: int,
    ports: Mapping[str, int],
) -> bool:
    specs = [each["spec"] for each in policies]
    mine = [
        spec for spec in specs if way in spec["policyTypes"] and selects(spec["podSelector"], here)
    ]
    side = "to" if way == "Egress" else "from"
    return not mine or any(
        (side not in rule or any(_is(peer, there) for peer in rule[side]))
        and ("ports" not in rule or any(_port(each, ports) == port for each in rule["ports"]))
        for spec in mine
        for rule in spec.get(way.lower()) or ()
    )


def _port(allowed: Mapping[str, Any], ports: Mapping[str, int]) -> int:
    if allowed.get("protocol") != "TCP":
        return 0
    return ports.get(allowed["port"], 0) if isinstance(allowed["port"], str) else allowed["port"]


def _is(peer: Mapping[str, Any], who: Peer) -> bool:
    if isinstance(who, str):
        block = peer.get("ipBlock")
        inside = ip_address(who)
        return bool(block) and (
            inside in ip_network(block["cidr"])
            and not any(inside in ip_network(each) for each in block.get("except") or ())
        )
    return "namespaceSelector" not in peer and selects(peer.get("podSelector"), who)


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects; an empty one selects all, and none selects nothing."""
    if selector is None:
        return False
    tests = {
        "In": lambda each: labels.get(each["key"]) in each["values"],
        "NotIn": lambda each: labels.get(each["key"]) not in each["values"],
        "Exists": lambda each: each["key"] in labels,
        "DoesNotExist": lambda each: each["key"] not in labels,
    }
    return all(
        labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()
    ) and all(tests[each["operator"]](each) for each in selector.get("matchExpressions") or ())
