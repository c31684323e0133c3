"""The clusters of `bench.clusters` whose schedulers and workers are pods.

greyhub's need a Kubernetes cluster that KUBECONFIG names, GREYHUB_TESTS_IMAGE and
GREYHUB_TESTS_HOST, as the tests do. dask-gateway's need its own chart on the same cluster,
installed with ``bench/cluster_pods.yaml`` and the same image, and GREYHUB_BENCH_GATEWAY, the
address of its Traefik: ``http://10.96.4.7``. Both have one thread to a worker, the same small
guarantees and the same limits; an end is one when no pod of the cluster is left.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.cluster_kinds import Kind, of_user
from tests.support.clusters import HOST, IMAGE, Cluster
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import until

CONFIG = """\
c.JupyterHub.hub_ip = {host!r}
c.JupyterHub.hub_connect_url = "http://{host}:" + str(c.JupyterHub.hub_port)
c.GreyHub.cluster = "kubernetes"
c.KubernetesCluster.namespace = {namespace!r}
c.KubernetesCluster.image = {image!r}
c.KubernetesCluster.port = {ports[0]}
c.KubernetesCluster.api_port = {ports[1]}
c.KubernetesCluster.dashboard_port = {ports[2]}
c.KubernetesCluster.worker_memory = "2 GiB"
c.KubernetesCluster.user_limits = {{}}
c.KubernetesCluster.pods = {{
    "worker_cores_guarantee": 0.02, "worker_memory_guarantee": "100 M",
    "scheduler_cores_guarantee": 0.02, "scheduler_memory_guarantee": "100 M",
    "image_pull_policy": "IfNotPresent",
}}
"""


@contextmanager
def broker() -> Iterator[Kind]:
    """greyhub's broker of pods, and a hub beside the cluster."""
    cluster = Cluster(f"bench-clusters-{secrets.token_hex(3)}")
    with ExitStack() as ends:
        directory = Path(tempfile.mkdtemp(prefix="bench-clusters-"))
        ends.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o755)
        cluster.kubectl("create", "namespace", cluster.namespace)
        ends.callback(cluster.kubectl, "delete", "namespace", cluster.namespace)
        text = CONFIG.format(
            host=HOST,
            namespace=cluster.namespace,
            image=IMAGE,
            ports=[free_port() for _ in range(3)],
        )
        hub = Hub(directory, text)
        ends.callback(hub.end)

        def gone(made: Any) -> None:
            until(lambda: not pods("greyhub/cluster", made.name), 120, "the end of all pods")

        yield Kind(of_user(hub), gone)


@contextmanager
def gateway() -> Iterator[Kind]:
    """dask-gateway's Kubernetes backend: an API server, a controller, and Traefik."""
    from dask_gateway import BasicAuth, GatewayCluster

    address = os.environ["GREYHUB_BENCH_GATEWAY"]
    proxy = address.replace("http://", "gateway://") + ":80"  # the chart's one port for both

    def gone(made: Any) -> None:
        name = str(made.name).partition(".")[2]  # after the namespace's
        until(lambda: not pods("gateway.dask.org/cluster", name), 120, "the end of all pods")

    yield Kind(lambda: GatewayCluster(address, proxy, auth=BasicAuth("ada")), gone)


def pods(label: str, name: str) -> str:
    """The pods of a cluster, also those that are going; nothing if there are none."""
    command = ["kubectl", "get", "pods", "-A", "-l", f"{label}={name}", "-o", "name"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
