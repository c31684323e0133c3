"""A hub whose clusters are pods, seen from outside: by dask-gateway's own client, and kubectl."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import requests
from dask_gateway import Gateway, GatewayCluster
from dask_gateway.auth import JupyterHubAuth

from tests.support.clusters import HOST, IMAGE, Cluster
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until

CONFIG = """
c.GreyHub.cluster = "kubernetes"
c.KubernetesCluster.port = {port}
c.KubernetesCluster.api_port = {api_port}
c.KubernetesCluster.dashboard_port = {dashboard_port}
c.KubernetesCluster.worker_memory = "512 MiB"
c.KubernetesCluster.end_with_server = False
c.KubernetesCluster.pods = {{
    "worker_cores_guarantee": 0.02, "worker_memory_guarantee": "200 M",
    "scheduler_cores_guarantee": 0.02, "scheduler_memory_guarantee": "200 M",
    "image_pull_policy": "IfNotPresent",
}}
"""

OF_THE_ADMINISTRATOR = f"c.KubernetesCluster.image = {IMAGE!r}\n"
"""For tests in which no server runs."""


class Broker:
    """The broker of a hub.

    Parameters
    ----------
    hub : Hub
        A hub that runs, with a configuration by `config`.
    port : int
        The broker's.
    """

    def __init__(self, hub: Hub, port: int) -> None:
        self.hub = hub
        self.url = f"http://{HOST}:{port}/services/clusters"
        self.proxy = f"gateway://{HOST}:{port}"
        self._tokens: dict[str, str] = {}

    def token(self, user: str = "ada") -> str:
        """A token of a user's."""
        if user not in self._tokens:
            if user not in [each["name"] for each in self.hub.api("GET", "users")]:
                self.hub.api("POST", f"users/{user}")
            self._tokens[user] = self.hub.api("POST", f"users/{user}/tokens", json={})["token"]
        return self._tokens[user]

    @contextmanager
    def gateway(self, user: str = "ada") -> Iterator[Gateway]:
        """A client of a user's."""
        auth = JupyterHubAuth(self.token(user))
        with Gateway(address=self.url, proxy_address=self.proxy, auth=auth) as found:
            yield found

    @contextmanager
    def cluster(self, workers: int = 0, user: str = "ada", **options: Any) -> Iterator[Any]:
        """A cluster of a user's, and a client of it; nobody ends it."""
        with self.gateway(user) as gateway:
            made: GatewayCluster = gateway.new_cluster(shutdown_on_close=False, **options)
            with made:
                made.scale(workers)
                with made.get_client() as client:
                    if workers:
                        client.wait_for_workers(workers, timeout=2 * MINUTE)
                    yield made, client

    def ask(self, method: str, path: str, user: str = "ada", **options: Any) -> requests.Response:
        """The answer of the broker's API to a user."""
        return requests.request(
            method,
            f"{self.url}/api/v1/clusters/{path}",
            headers={"Authorization": f"jupyterhub {self.token(user)}"},
            timeout=MINUTE,
            **options,
        )

    def answers(self) -> bool:
        """Whether the broker answers."""
        try:
            return self.ask("GET", "").ok
        except requests.RequestException:
            return False

    def submit(self, user: str = "ada", **options: Any) -> str:
        """Ask for a cluster, and do not wait; its name."""
        answer = self.ask("POST", "", user, json={"cluster_options": options})
        assert answer.ok, answer.text
        return str(answer.json()["name"])

    def status(self, name: str) -> str:
        """How a cluster is."""
        return str(self.ask("GET", name).json()["status"])

    def reason(self, name: str) -> str:
        """Why it is so."""
        return str(self.ask("GET", f"{name}/reason").json()["reason"])

    def says(self, name: str, words: str) -> str:
        """Wait until the broker says certain words of a cluster; all that it says."""
        until(lambda: words in self.reason(name), what=f"{words!r} of {name}")
        return self.reason(name)

    def process(self) -> psutil.Process:
        """The broker's own process."""
        assert self.hub.process
        [found] = [
            each
            for each in psutil.Process(self.hub.process.pid).children(recursive=True)
            if "greyhub.broker" in each.cmdline()
        ]
        return found

    def kill(self) -> None:
        """End the broker at once, and wait until the hub has started it again."""
        before = self.process()
        os.kill(before.pid, signal.SIGKILL)
        until(lambda: self._another(before.pid), what="another broker")

    def _another(self, pid: int) -> bool:
        try:
            return self.process().pid != pid and self.answers()
        except (ValueError, psutil.NoSuchProcess):
            return False


def config(more: str = "") -> tuple[str, int]:
    """The configuration of a hub with a broker, and the broker's port."""
    port = free_port()
    return CONFIG.format(port=port, api_port=free_port(), dashboard_port=free_port()) + more, port


def parts(cluster: Cluster, name: str = "") -> list[str]:
    """The names of all pods and Secrets of clusters, or of one; those that are going, too."""
    selector = f"greyhub/cluster={name}" if name else "greyhub/cluster"
    said = cluster.kubectl("get", "pods,secrets", "-l", selector, "-o", "name")
    return said.split()


def pods_of(cluster: Cluster, kind: str) -> list[dict[str, Any]]:
    """The pods of schedulers or workers: ``dask-scheduler``, ``dask-worker``."""
    label = "app.kubernetes.io/component"
    return [each for each in cluster.get("pods") if each["metadata"]["labels"].get(label) == kind]


def none_left(cluster: Cluster, name: str = "") -> None:
    """Wait until nothing of any cluster, or of one, is there."""
    until(lambda: not parts(cluster, name), 120, "the end of all parts")


def slowly(number: int) -> int:
    """A second's work, for workers."""
    import time

    time.sleep(1)
    return number * number
