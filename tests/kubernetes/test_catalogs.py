"""Catalogues in a ConfigMap of a real cluster: a notebook sees it as it changes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.clusters import ApiProxy, Cluster
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

CONFIG = """
c.GreyHub.data = "kubernetes"
c.KubernetesData.config_map = {"sky": "maps"}
"""

STOCK = """
c.GreyHub.spawner = "kubespawner.KubeSpawner"
c.KubeSpawner.namespace = c.PodSpawner.namespace
c.KubeSpawner.image = c.PodSpawner.image
c.KubeSpawner.image_pull_policy = "IfNotPresent"
c.KubeSpawner.uid = 1000
del c.PodSpawner
"""

NOTEBOOK = """
import json, sys, greyhub
hub = greyhub.connect()
for line in sys.stdin:
    try:
        print(json.dumps(list(hub.data)), flush=True)
    except Exception as error:
        print(json.dumps(str(error)), flush=True)
"""


def config_map(**texts: str) -> dict[str, object]:
    data = {f"{name}.yaml": text for name, text in texts.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "maps"}, "data": data}


@contextmanager
def notebook(cluster: Cluster) -> Iterator[Callable[[], list[str] | str]]:
    """A kernel in the one pod: each call lists its data, or says why it cannot."""
    [pod] = cluster.pods()
    command = ["kubectl", "-n", cluster.namespace, "exec", "-i", pod["metadata"]["name"], "--"]
    with subprocess.Popen(
        [*command, "python", "-c", NOTEBOOK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=cluster.environ,
    ) as kernel:
        assert kernel.stdin
        assert kernel.stdout

        def listed() -> list[str] | str:
            assert kernel.stdin
            assert kernel.stdout
            kernel.stdin.write("\n")
            kernel.stdin.flush()
            found: list[str] | str = json.loads(kernel.stdout.readline())
            return found

        yield listed
        kernel.stdin.close()


@pytest.mark.parametrize("spawner", ["", STOCK], ids=["greyhub", "stock"])
def test_a_notebook_sees_a_config_map_as_it_changes(
    pods_hub: Callable[..., Hub], cluster: Cluster, spawner: str
) -> None:
    cluster.apply(config_map(a="sources: {rain: {driver: csv, args: {urlpath: rain.csv}}}"))
    hub = pods_hub(CONFIG + spawner)
    hub.spawn("ada")
    with notebook(cluster) as listed:
        assert listed() == ["sky.rain"]
        cluster.apply(config_map(b="sources: {sun: {driver: csv, args: {urlpath: sun.csv}}}"))
        until(lambda: listed() == ["sky.sun"], limit=180, what="the new entry", every=1)


def test_a_config_map_that_is_missing_keeps_no_server_from_starting(
    pods_hub: Callable[..., Hub], cluster: Cluster, api: ApiProxy
) -> None:
    hub = pods_hub(CONFIG)
    hub.spawn("ada")

    def checked() -> str:
        command = [sys.executable, "-m", "greyhub.cli", "check", "--live", "-f", str(hub.file)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=MINUTE, cwd=hub.directory
        )
        return done.stdout + done.stderr

    missing = f"there is no ConfigMap 'maps' in the namespace {cluster.namespace}"
    assert missing in checked()
    with notebook(cluster) as listed:
        assert missing in listed()
        cluster.apply(config_map(a="sources:\n  rain: {driver: csv}\n  bad: 7\n"))
        until(lambda: listed() == ["sky.rain"], limit=180, what="the new ConfigMap", every=1)
    said = checked()
    assert "ConfigMap maps, a.yaml: 1 dataset" in said
    assert "ConfigMap maps, a.yaml:3: 'bad' is no mapping" in said
