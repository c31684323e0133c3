"""The adapter of clusters of pods: what it tells the broker, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from greyhub.clusters.kubernetes import KubernetesCluster
from greyhub.errors import ConfigError
from greyhub.kubernetes.names import hub_id
from tests.support.adapters import FakeHub

Make = Callable[..., KubernetesCluster]


@pytest.fixture
def adapter(tmp_path: Path) -> Make:
    """Makes one, under a configuration."""

    def make(**config: Any) -> KubernetesCluster:
        hub = FakeHub.at(tmp_path)
        hub.make_state()
        hub.config = Config(config)
        return KubernetesCluster(parent=hub)

    return make


def backend(made: KubernetesCluster) -> dict[str, Any]:
    """The backend's options, as the broker reads them."""
    settings: dict[str, Any] = json.loads(json.dumps(made.settings()))
    return settings["config"]["PodBackend"]  # type: ignore[no-any-return]


def test_the_broker_looks_for_pods_where_servers_are(adapter: Make) -> None:
    made = adapter(PodSpawner={"namespace": "people", "hub_id": "teaching"})
    assert backend(made)["namespace"] == backend(made)["servers_namespace"] == "people"
    assert made.settings()["config"]["BrokerBackend"]["hub_id"] == "teaching"
    made = adapter(KubeSpawner={"namespace": "people"}, KubernetesCluster={"namespace": "dask"})
    assert backend(made)["namespace"] == "dask"
    assert backend(made)["servers_namespace"] == "people"


def test_its_mark_is_the_one_that_servers_have(adapter: Make, tmp_path: Path) -> None:
    """By which the server of a user is found."""
    made = adapter().settings()["config"]["BrokerBackend"]["hub_id"]
    assert made == hub_id(tmp_path / "hub")


def test_profiles_are_those_of_servers(adapter: Make) -> None:
    profiles = [{"name": "gpu", "gpus": 1, "groups": {"b", "a"}}]
    made = adapter(SpawnerAdapter={"profiles": profiles, "gpu_resource": "amd.com/gpu"})
    assert backend(made)["profiles"] == [{"name": "gpu", "gpus": 1, "groups": ["a", "b"]}]
    assert backend(made)["gpu_resource"] == "amd.com/gpu"
    own = [{"name": "large", "memory": "32 GiB"}]
    made = adapter(SpawnerAdapter={"profiles": profiles}, KubernetesCluster={"profiles": own})
    assert backend(made)["profiles"] == own


def test_what_pods_are_made_of_reaches_the_broker(adapter: Make) -> None:
    options = {"image": "lab:1", "worker_priority_class": "batch", "pods": {"uid": 1234}}
    made = adapter(KubernetesCluster=options).settings()["config"]["PodClusterConfig"]
    assert (made["image"], made["worker_priority_class_name"]) == ("lab:1", "batch")
    assert made["uid"] == 1234


def test_the_broker_finds_the_api_server(adapter: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/srv/kubeconfig")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("JPY_API_TOKEN", "hush-hush")
    [service] = adapter().contribute().services
    assert service["environment"]["KUBECONFIG"] == "/srv/kubeconfig"
    assert service["environment"]["KUBERNETES_SERVICE_HOST"] == "10.0.0.1"
    assert "hush-hush" not in str(service)


def test_the_broker_has_the_hubs_home(adapter: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """JupyterHub keeps HOME from services; a uid without an account has no other home."""
    monkeypatch.setenv("HOME", "/home/of/the/hub")
    [service] = adapter().contribute().services
    assert service["environment"]["HOME"] == "/home/of/the/hub"


def test_an_interpreter_of_a_server_that_is_no_pod_is_not_asked_for(
    adapter: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever machine it is on, the image has one of its own."""
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of-ada")
    monkeypatch.setattr("greyhub.clusters.gateway_cluster.BrokerCluster", dict)
    monkeypatch.setattr(FakeHub, "servers_here", True)
    made = adapter(KubernetesCluster={"image": "lab:1"})
    assert made.settings()["config"]["BrokerBackend"]["python"] == "python"

    def asked(spawner: type) -> str:
        return str(made.connect(asyncio.run(made.ticket(spawner())))["python"])

    assert asked(type("LocalProcessSpawner", (), {})) == ""
    assert asked(type("PodSpawner", (type("KubeSpawner", (), {}),), {})) == sys.executable


def test_servers_need_not_be_pods_where_the_image_is_set(adapter: Make) -> None:
    assert "servers-are-pods" in adapter().needs
    assert "servers-are-pods" not in adapter(KubernetesCluster={"image": "lab:1"}).needs
    assert "servers-are-pods" in adapter().needs


def test_namespaces_of_users_need_an_image(adapter: Make) -> None:
    apart = {"enable_user_namespaces": True}
    with pytest.raises(ConfigError, match="the image of the server that asks is not known"):
        adapter(KubeSpawner=apart).contribute()
    adapter(KubeSpawner=apart, KubernetesCluster={"image": "lab:1"}).contribute()
