"""Users are kept apart from each other and from the API server; others admit only who must."""

from __future__ import annotations

import pytest

from tests.chart.peers import allowed, cluster, of_the_chart, server
from tests.chart.reachability import Peer
from tests.chart.rendering import SETS, named, pods, render, rendered

pytestmark = pytest.mark.usefixtures("helm_is_there")

OPEN, CLOSED = True, False

EXPECTED: list[tuple[str, str, int | str, bool]] = [
    ("server", "server", 8888, CLOSED),
    ("server", "cluster", 8786, OPEN),
    ("server", "hub", "hub", OPEN),
    ("server", "hub", "broker", OPEN),
    ("server", "hub", "dashboards", CLOSED),
    ("server", "proxy", "api", CLOSED),
    ("server", "API server", 443, CLOSED),
    ("server", "metadata", 80, CLOSED),
    ("server", "internet", 443, OPEN),
    ("cluster", "server", 8888, CLOSED),
    ("cluster", "cluster", 8786, OPEN),
    ("cluster", "hub", "hub", CLOSED),
    ("cluster", "hub", "broker", OPEN),
    ("cluster", "hub", "dashboards", CLOSED),
    ("cluster", "proxy", "api", CLOSED),
    ("cluster", "API server", 443, CLOSED),
    ("cluster", "metadata", 80, CLOSED),
    ("cluster", "internet", 443, OPEN),
    ("proxy", "server", 8888, OPEN),
    ("proxy", "cluster", 8787, CLOSED),
    ("proxy", "hub", "hub", OPEN),
    ("proxy", "hub", "dashboards", OPEN),
    ("proxy", "hub", "broker", CLOSED),
    ("hub", "server", 8888, OPEN),
    ("hub", "cluster", 8786, OPEN),
    ("hub", "hub", "hub", OPEN),
    ("hub", "proxy", "api", OPEN),
    ("hub", "API server", 443, OPEN),
    ("internet", "server", 8888, CLOSED),
    ("internet", "cluster", 8786, CLOSED),
    ("internet", "hub", "hub", CLOSED),
    ("internet", "proxy", "api", CLOSED),
    ("test", "proxy", "public", OPEN),
    ("test", "server", 8888, CLOSED),
    ("prepull", "hub", "hub", CLOSED),
    ("prepull", "internet", 443, CLOSED),
    ("placeholder", "hub", "hub", CLOSED),
    ("placeholder", "internet", 443, CLOSED),
    ("backup", "internet", 443, OPEN),
    ("server", "backup", 443, CLOSED),
]


@pytest.fixture(scope="module")
def peers() -> dict[str, Peer]:
    """Everybody, by what they are."""
    return {
        **of_the_chart(),
        "server": server(),
        "cluster": cluster(),
        "API server": "10.96.0.1",
        "metadata": "169.254.169.254",
        "internet": "93.184.215.14",
    }


@pytest.mark.parametrize("name", ["as it comes", "behind an ingress"])
def test_who_reaches_whom(name: str, peers: dict[str, Peer]) -> None:
    wrong = [
        (source, target, port, expected)
        for source, target, port, expected in EXPECTED
        if allowed(rendered(name), peers[source], peers[target], port) is not expected
    ]
    assert wrong == []


def test_the_public_door_is_for_all_or_for_whom_is_named(peers: dict[str, Peer]) -> None:
    for name, expected in (("as it comes", OPEN), ("behind an ingress", CLOSED)):
        objects = rendered(name)
        assert allowed(objects, peers["internet"], peers["proxy"], "public") is expected


def test_addresses_of_both_kinds_are_blocked(peers: dict[str, Peer]) -> None:
    more = ["20.1.2.3/32", "2001:db8::/32"]
    blocked = {"networkPolicy": {"blocked": more}}
    objects = render({**SETS["as it comes"], **blocked})
    mine = peers["server"]
    assert not allowed(objects, mine, "20.1.2.3", 443)
    assert allowed(objects, mine, "20.1.2.4", 443)
    assert not allowed(objects, mine, "2001:db8::1", 443)
    assert allowed(objects, mine, "2001:db9::1", 443)
    assert not allowed(rendered("as it comes"), mine, "fd00::1", 443)


def test_without_policies_there_are_none() -> None:
    objects = render({**SETS["as it comes"], "networkPolicy": {"enabled": False}})
    assert "NetworkPolicy" not in [each["kind"] for each in objects]


def test_services_lead_to_ports_that_are_there() -> None:
    objects = rendered("as it comes")
    for service in (each for each in objects if each["kind"] == "Service"):
        selector = service["spec"]["selector"].items()
        (pod,) = (each for each in pods(objects) if selector <= each["metadata"]["labels"].items())
        there = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= there
    backend = named(rendered("behind an ingress"), "Ingress", "proxy")["spec"]["rules"][0]
    assert backend["host"] == "hub.example.org"
    assert backend["http"]["paths"][0]["path"] == "/science/"
