"""Profiles on a cluster: what is in the pod of a server is its profile's, and no other's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.clusters import IMAGE, Cluster
from tests.support.hubs import Hub
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

CONFIG = f"""
c.KubeSpawner.image = "localhost/nowhere:1"
c.KubeSpawner.node_selector = {{"kubernetes.io/arch": "amd64"}}
c.SpawnerAdapter.profiles = [
    {{"name": "small", "image": {IMAGE!r}, "cores": 0.25, "memory": "384 MiB"}},
    {{
        "name": "gpu",
        "image": {IMAGE!r},
        "gpus": 2,
        "node_selector": {{"pool": "gpu"}},
        "tolerations": [{{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}}],
    }},
    {{"name": "elsewhere", "image": {IMAGE!r}, "environment": "/opt/nowhere"}},
]
"""

STOCK = """
from kubespawner import KubeSpawner
c.GreyHub.spawner = KubeSpawner
c.KubeSpawner.namespace = c.PodSpawner.namespace
c.KubeSpawner.image_pull_policy = "IfNotPresent"
del c.PodSpawner
"""


def notebook(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("spawner", ["", STOCK], ids=["greyhub's", "KubeSpawner as it is"])
def test_a_pod_is_its_profile_s(
    pods_hub: Callable[..., Hub], cluster: Cluster, spawner: str
) -> None:
    own = "" if spawner else "del c.PodSpawner.image\n"
    hub = pods_hub(f"{own}{spawner}{CONFIG}")
    hub.api("POST", "users/ada")
    hub.api("POST", "users/ada/server", json={"profile": "gpu"})
    until(lambda: len(cluster.pods()) == 1, what="a pod")
    [pod] = cluster.pods()
    assert notebook(pod)["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/arch": "amd64", "pool": "gpu"}
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert toleration in pod["spec"]["tolerations"]
    hub.stop_server("ada")  # no node has a GPU: the start is cancelled
    until(lambda: cluster.get("pods") == [], what="the end of the pod")
    hub.api("POST", "users/ada/server", json={"profile": "small"})
    until(lambda: (hub.server("ada") or {}).get("ready"), 120, "the server")
    [pod] = cluster.pods()
    assert notebook(pod)["image"] == IMAGE
    size = {"cpu": "250m", "memory": "384Mi"}
    assert _sizes(notebook(pod)["resources"]) == {"limits": size, "requests": size}
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/arch": "amd64"}
    assert toleration not in pod["spec"].get("tolerations", [])
    assert hub.answers("ada")
    hub.stop()
    hub.start()  # a restarted hub applies it anew
    hub.stop_server("ada")
    hub.spawn("ada")
    [pod] = cluster.pods()
    assert _sizes(notebook(pod)["resources"]) == {"limits": size, "requests": size}


def _sizes(resources: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Limits and requests, as Kubernetes writes them for people."""
    return {
        kind: {
            name: f"{int(value) // 2**20}Mi" if value.isdigit() and name == "memory" else value
            for name, value in resources[kind].items()
        }
        for kind in ("limits", "requests")
    }


def test_an_environment_of_the_image_is_started(
    pods_hub: Callable[..., Hub], cluster: Cluster
) -> None:
    hub = pods_hub("del c.PodSpawner.image\n" + CONFIG)
    hub.api("POST", "users/ada")
    hub.api("POST", "users/ada/server", json={"profile": "elsewhere"})
    until(lambda: len(cluster.pods()) == 1, what="a pod")
    [pod] = cluster.pods()
    assert notebook(pod)["args"][0] == "/opt/nowhere/bin/greyhub-singleuser"
    said = hub.login("ada")
    until(lambda: hub.server("ada") is None, what="the end of the attempt")
    page = said.get(f"{hub.url}hub/spawn-pending/ada").text
    assert "/opt/nowhere/bin/greyhub-singleuser" in page
