"""One slot Kubernetes and the others Azure ML's: the same notebook runs, or the mix is refused.

Pods and claims are a real cluster's, the workspace is simulated on this machine. The storage
account listens where pods reach it, and a ConfigMap gives them the certificate of its authority.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from greyhub.conformance.testkit.certificates import ADDRESS
from tests.azureml.platforms import (
    RESULT,
    SLOTS,
    Azure,
    all_of_azure,
    await_result,
    open_lab,
    place,
    put_tutorial,
    run_tutorial,
)
from tests.kubernetes.brokers import pods_of
from tests.support.browser import await_figure
from tests.support.clusters import HOST, IMAGE, Cluster
from tests.support.hubs import Hub
from tests.support.waiting import until

__all__ = ["place"]

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.timeout(600)]

AUTHORITY = "authority"
"""The ConfigMap, and the volume, with the certificate that vouches for the storage account."""

REFUSED = {
    "homespace": "KubernetesHomespace cannot work here: a claim is mounted in a pod",
    "data": "KubernetesData cannot work here: ConfigMaps are mounted in the pods of servers",
}


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    with all_of_azure(HOST or ADDRESS) as found:
        yield found


def mix(*slots: str) -> dict[str, str]:
    """These slots Kubernetes, the others Azure ML."""
    return {slot: "kubernetes" if slot in slots else "azureml" for slot in SLOTS}


def lines(azure: Azure, namespace: str = "people") -> dict[tuple[str, str], str]:
    """How a platform is told of each adapter for Kubernetes."""
    volumes = [{"name": AUTHORITY, "configMap": {"name": AUTHORITY}}]
    mounts = [{"name": AUTHORITY, "mountPath": str(azure.account.authority.ca.parent)}]
    pods = {"volumes": volumes, "volume_mounts": mounts, "image_pull_policy": "IfNotPresent"}
    for part in ("scheduler", "worker"):
        pods |= {f"{part}_cores_guarantee": 0.02, f"{part}_memory_guarantee": "200 M"}
    reached = f"""
c.JupyterHub.hub_ip = {HOST or "0.0.0.0"!r}
c.JupyterHub.hub_connect_url = f"http://{HOST or "host.test"}:{{c.JupyterHub.hub_port}}"
"""
    return {
        ("spawner", "kubernetes"): f"""{reached}
c.GreyHub.spawner = "kubernetes"
c.PodSpawner.namespace = {namespace!r}
c.PodSpawner.image = {IMAGE!r}
c.PodSpawner.image_pull_policy = "IfNotPresent"
c.PodSpawner.volumes = {volumes!r}
c.PodSpawner.volume_mounts = {mounts!r}
""",
        ("cluster", "kubernetes"): f"""{reached}
c.GreyHub.cluster = "kubernetes"
c.KubernetesCluster.namespace = {namespace!r}
c.KubernetesCluster.image = {IMAGE!r}  # servers may be instances, which have none
c.KubernetesCluster.port, c.KubernetesCluster.api_port, c.KubernetesCluster.dashboard_port = PORTS
c.KubernetesCluster.worker_memory = "1 GiB"
c.KubernetesCluster.pods = {pods!r}
""",
        ("homespace", "kubernetes"): f"""
c.GreyHub.homespace = "kubernetes"
c.KubernetesHomespace.size = "100Mi"
c.KubernetesHomespace.owner_image = {IMAGE!r}
""",
        ("data", "kubernetes"): """
c.GreyHub.data = "kubernetes"
c.KubernetesData.config_map = ["catalogues"]
""",
    }


@pytest.mark.kubernetes
@pytest.mark.browser
@pytest.mark.parametrize(
    "slots",
    [("spawner",), ("cluster",), ("spawner", "cluster"), ("spawner", "homespace")],
    ids="-".join,
)
def test_the_tutorial_runs(
    azure: Azure, cluster: Cluster, place: Path, page: Page, slots: tuple[str, ...]
) -> None:
    vouching = azure.account.authority.ca
    cluster.kubectl("create", "configmap", AUTHORITY, f"--from-file={vouching}")
    instances, jobs = set(azure.workspace.instances()), set(azure.workspace.jobs())
    azure.forget_result()
    hub = Hub(place, azure.config(mix(*slots), lines(azure, cluster.namespace)))
    try:
        hub.start()
        open_lab(page, hub, azure, mix(*slots))
        servers = [each["metadata"]["name"] for each in cluster.pods()]
        put_tutorial(hub)
        run_tutorial(page, hub)
        if "cluster" in slots:
            until(lambda: pods_of(cluster, "dask-worker"), 120, "workers")
        await_figure(page)
        if "homespace" in slots:
            inside = ["exec", servers[0], "-c", "notebook", "--", "sh", "-c", "ls ~"]
            until(lambda: RESULT in cluster.kubectl(*inside), 120, "the results in the home")
            assert len(cluster.get("pvc")) == 1
        else:
            await_result(azure, hub, mix(*slots))
        assert len(servers) == ("spawner" in slots)
        assert (set(azure.workspace.instances()) == instances) == ("spawner" in slots)
        assert (set(azure.workspace.jobs()) == jobs) == ("cluster" in slots)
        assert not azure.workspace.violations
    finally:
        hub.end()


def check(hub: Hub) -> tuple[int, str]:
    """The status of ``greyhub check``, and what it says."""
    command = [sys.executable, "-m", "greyhub.cli", "check", "-f", str(hub.file)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("slot", REFUSED)
def test_what_only_pods_mount_is_refused_where_servers_are_instances(
    azure: Azure, place: Path, slot: str
) -> None:
    refused = Hub(place, azure.config(mix(slot), lines(azure)))
    status, said = check(refused)
    assert status
    assert ": 1 error" in said, said
    assert f"{REFUSED[slot]}, and it is not so that servers are pods" in said
    fix = f'fix: set c.GreyHub.spawner = "kubernetes", or choose another c.GreyHub.{slot}'
    assert fix in said
    assert REFUSED[slot] in " ".join(refused.refused().split())
    for does in (mix(slot, "spawner"), mix()):  # both ways out of it
        status, said = check(Hub(place, azure.config(does, lines(azure))))
        assert not status, said
