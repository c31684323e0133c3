"""Users are kept apart from each other and from the API server; others admit only who must."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

from greyhub.broker.pod_cluster_manifest import Parts
from greyhub.spawners.pod_spawner import PodSpawner
from tests.chart.reachability import Peer, reaches
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


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The labels of a user's server, as the hub makes it."""
    monkeypatch.setattr("kubespawner.spawner.load_config", lambda **_: None)
    monkeypatch.setattr("kubespawner.spawner.shared_client", lambda *_: None)
    spawner = PodSpawner(
        _mock=True,
        config=Config({"PodSpawner": {"hub_id": "science", "image": "lab"}}),
        log=logging.getLogger("greyhub.test"),
    )
    labels: dict[str, str] = spawner._build_pod_labels({})
    return labels


@pytest.fixture
def peers(server: dict[str, str]) -> dict[str, Peer]:
    """Everybody, by what they are."""
    config = SimpleNamespace(extra_labels={}, extra_annotations={})
    cluster: Any = SimpleNamespace(name="c", username="ada", config=config)
    about = Parts("science", "label")._about(cluster, "c", "c", "scheduler")
    own = {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["metadata"]["labels"]
        for pod in pods(rendered("behind an ingress"))
    }
    return {
        **own,
        "server": server,
        "cluster": about.labels,
        "API server": "10.96.0.1",
        "metadata": "169.254.169.254",
        "internet": "93.184.215.14",
    }


def allowed(objects: list[Any], source: Peer, target: Peer, port: int | str) -> bool:
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    containers = [each for pod in pods(objects) for each in pod["spec"]["containers"]]
    ports = {
        port["name"]: port["containerPort"] for each in containers for port in each.get("ports", ())
    }
    return reaches(policies, source, target, port, ports)


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
    server = peers["server"]
    assert not allowed(objects, server, "20.1.2.3", 443)
    assert allowed(objects, server, "20.1.2.4", 443)
    assert not allowed(objects, server, "2001:db8::1", 443)
    assert allowed(objects, server, "2001:db9::1", 443)
    assert not allowed(rendered("as it comes"), server, "fd00::1", 443)


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
