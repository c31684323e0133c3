"""Everybody on the network of a release: their labels, their ports, and who may reach whom."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

from greyhub.broker.pod_cluster_manifest import Parts
from greyhub.spawners.pod_spawner import PodSpawner
from tests.chart.reachability import Peer, reaches
from tests.chart.rendering import Object, pods, rendered


def server() -> dict[str, str]:
    """The labels of a user's server, as the hub makes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kubespawner.spawner.load_config", lambda **_: None)
        patch.setattr("kubespawner.spawner.shared_client", lambda *_: None)
        spawner = PodSpawner(
            _mock=True,
            config=Config({"PodSpawner": {"hub_id": "science", "image": "lab"}}),
            log=logging.getLogger("greyhub.test"),
        )
        labels: dict[str, str] = spawner._build_pod_labels({})
    return labels


def cluster(user: str = "ada", part: str = "scheduler") -> dict[str, str]:
    """The labels of a part of a user's cluster, as the broker makes it."""
    config = SimpleNamespace(extra_labels={}, extra_annotations={})
    made: Any = SimpleNamespace(name="c", username=user, config=config)
    labels: dict[str, str] = dict(Parts("science", "label")._about(made, "c", "c", part).labels)
    return labels


def of_the_chart() -> dict[str, dict[str, str]]:
    """The labels of the chart's own pods, by component."""
    return {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["metadata"]["labels"]
        for pod in pods(rendered("behind an ingress"))
    }


def named_ports(objects: Sequence[Object]) -> Mapping[str, int]:
    """The numbers of the ports that the chart's pods have, by name."""
    containers = [each for pod in pods(list(objects)) for each in pod["spec"]["containers"]]
    return {
        port["name"]: port["containerPort"] for each in containers for port in each.get("ports", ())
    }


def allowed(objects: list[Object], source: Peer, target: Peer, port: int | str) -> bool:
    """Whether the NetworkPolicies among the objects allow a TCP connection."""
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    return reaches(policies, source, target, port, named_ports(objects))
