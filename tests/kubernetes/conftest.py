"""Fixtures for tests on a cluster.

cluster
    A namespace of its own in the cluster that KUBECONFIG names; gone afterwards.
api
    A proxy before the API server, which can be away.
pods_hub
    Makes a hub on this machine whose servers are pods.
broker
    Makes such a hub whose clusters are pods, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kubernetes.brokers import OF_THE_ADMINISTRATOR, Broker, config
from tests.support.clusters import HOST, IMAGE, ApiProxy, Cluster, missing
from tests.support.hubs import Hub
from tests.support.waiting import until

CONFIG = """
c.JupyterHub.hub_ip = {host!r}
c.JupyterHub.hub_connect_url = "http://{host}:" + str(c.JupyterHub.hub_port)
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
c.GreyHub.spawner = "kubernetes"
c.GreyHub.homespace = None
c.GreyHub.data = None
c.PodSpawner.namespace = {namespace!r}
c.PodSpawner.image = {image!r}
c.PodSpawner.image_pull_policy = "IfNotPresent"
"""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if why := missing():
        pytest.skip(why)
    made = Cluster(f"greyhub-{secrets.token_hex(4)}")
    made.kubectl("create", "namespace", made.namespace)
    yield made
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


@pytest.fixture
def api(cluster: Cluster, tmp_path: Path) -> Iterator[ApiProxy]:
    with ApiProxy(tmp_path / "kubeconfig") as proxy:
        yield proxy


@pytest.fixture
def pods_hub(
    cluster: Cluster, api: ApiProxy, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Hub]]:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    with ExitStack() as ends:

        def start(config: str = "") -> Hub:
            text = CONFIG.format(host=HOST, namespace=cluster.namespace, image=IMAGE) + config
            hub = Hub(directory, text)
            ends.callback(hub.end)
            return hub.start()

        yield start


@pytest.fixture
def broker(pods_hub: Callable[..., Hub]) -> Callable[..., Broker]:
    """Makes a hub with a broker."""

    def start(more: str = OF_THE_ADMINISTRATOR) -> Broker:
        text, port = config(more)
        made = Broker(pods_hub(text), port)
        until(made.answers, what="the broker")
        return made

    return start
