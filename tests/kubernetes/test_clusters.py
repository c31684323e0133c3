"""Dask clusters whose scheduler and workers are pods: they work, are told why not, and end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.kubernetes.brokers import (
    Broker,
    none_left,
    parts,
    pods_of,
    slowly,
)
from tests.kubernetes.test_homes import python
from tests.kubernetes.test_troubles import OUTAGE
from tests.support.clusters import IMAGE, ApiProxy, Cluster, once
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Broker]


def test_it_works_as_its_server_does_and_leaves_nothing(broker: Start, cluster: Cluster) -> None:
    """In a namespace that enforces the restricted standard, with the server's own image."""
    label = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", cluster.namespace, label)
    made = broker("")
    refused = made.ask("POST", "", json={"cluster_options": {}})
    assert refused.status_code == 422
    assert "no server of yours runs" in refused.text
    made.hub.spawn("ada")
    with made.cluster(2) as (dask, client):
        assert client.gather(client.map(pow, range(10), [2] * 10)) == [n * n for n in range(10)]
        [scheduler], workers = pods_of(cluster, "dask-scheduler"), pods_of(cluster, "dask-worker")
        assert len(workers) == 2
        for pod in (scheduler, *workers):
            assert pod["spec"]["containers"][0]["image"] == IMAGE
        address = client.scheduler_info()["services"]["dashboard"]
        page = f"http://{scheduler['status']['podIP']}:{address}/status"
        assert requests.get(page, timeout=MINUTE).status_code == 403
        dask.scale(1)
        until(lambda: len(pods_of(cluster, "dask-worker")) == 1, what="one worker")
        assert client.submit(pow, 2, 5).result() == 32
        dask.shutdown()
    none_left(cluster)
    assert len(cluster.get("pods")) == 1
    assert made.hub.answers("ada")


def test_a_home_that_pods_share_is_mounted_where_it_is_asked_for(
    broker: Start, cluster: Cluster
) -> None:
    homes = 'c.GreyHub.homespace = "kubernetes"\nc.KubernetesHomespace.size = "10Mi"\n'
    made = broker(f'{homes}c.KubernetesHomespace.access_mode = "ReadWriteMany"\n')
    made.hub.spawn("ada")
    python(cluster, "import pathlib; pathlib.Path('~/in.txt').expanduser().write_text('one')")
    with made.cluster(1, home=True, server="") as (dask, client):
        assert client.submit(Path("/home/jovyan/in.txt").read_text).result() == "one"
        client.submit(Path("/home/jovyan/out.txt").write_text, "two").result()
        dask.shutdown()
    assert python(cluster, "print(open('/home/jovyan/out.txt').read())").strip() == "two"
    none_left(cluster)


# Ends of the broker.


def test_a_broker_that_is_killed_loses_no_work(broker: Start, cluster: Cluster) -> None:
    made = broker()
    with made.cluster(1) as (dask, client):
        futures = client.map(slowly, range(10))
        made.kill()
        dask.scale(2)
        client.wait_for_workers(2, timeout=2 * MINUTE)
        made.kill()
        assert client.gather(futures) == [n * n for n in range(10)]
        before = set(parts(cluster))
        assert len(before) == 4
        dask.shutdown()
        made.kill()
    none_left(cluster)


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", ["secrets", "pods"])
def test_a_broker_that_is_killed_as_it_makes_something(
    broker: Start, cluster: Cluster, api: ApiProxy, kind: str, done: bool
) -> None:
    made = broker()
    killed: list[int] = []

    def rule(request: Any) -> str | None:
        if request.method != "POST" or not request.path.endswith(f"/{kind}") or killed:
            return None
        killed.append(made.process().pid)
        if not done:
            made.process().send_signal(signal.SIGKILL)
            return "refuse"
        return "lose"

    api.rules = [rule]
    name = made.submit()
    until(lambda: killed, what="the request")
    if done:
        made.kill()
    until(made.answers, what="another broker")
    until(lambda: made.status(name) == "RUNNING", 120, "the cluster")
    assert len(parts(cluster)) == 2
    with made.gateway() as gateway, gateway.connect(name) as dask:
        dask.scale(1)
        with dask.get_client() as client:
            client.wait_for_workers(1, timeout=2 * MINUTE)
            assert client.submit(pow, 2, 5).result() == 32
        dask.shutdown()
    none_left(cluster)


@pytest.mark.parametrize("wanted", ["DELETE pods", "DELETE secrets", "GET pods"])
def test_a_broker_that_is_killed_as_it_ends_something(
    broker: Start, cluster: Cluster, api: ApiProxy, wanted: str
) -> None:
    made = broker()
    method, _, kind = wanted.partition(" ")
    with made.cluster(1) as (dask, _):
        asked: list[str] = []

        def rule(request: Any) -> str | None:
            if asked or request.method != method or f"/{kind}" not in request.path:
                return None
            if request.query.get("watch"):
                return None
            asked.append(request.path)
            return "lose"

        api.rules = [rule]
        dask.shutdown()
        until(lambda: asked, what=wanted)
        made.kill()
    none_left(cluster)


def test_a_hub_that_is_killed_loses_no_cluster(broker: Start, cluster: Cluster) -> None:
    made = broker()
    with made.cluster(1) as (dask, client):
        future = client.submit(slowly, 3)
        before = set(parts(cluster))
        made.hub.stop(signal.SIGKILL)
        made.hub.start()
        until(made.answers, what="the broker")
        assert future.result() == 9
        assert set(parts(cluster)) == before
        dask.shutdown()
    none_left(cluster)


def test_what_the_database_has_lost_is_ended_and_another_hub_s_is_not(
    broker: Start, cluster: Cluster, api: ApiProxy, tmp_path: Path
) -> None:
    made = broker()
    lost = made.submit()
    until(lambda: made.status(lost) == "RUNNING", 120, "the cluster")
    secret = [each for each in parts(cluster, lost) if each.startswith("secret/")]
    assert len(secret) == 1
    theirs = {
        "metadata": {"name": "theirs", "labels": {"greyhub/cluster": "x", "greyhub/hub": "x"}}
    }
    cluster.apply({"apiVersion": "v1", "kind": "Secret"} | theirs)
    made.hub.stop()
    (made.hub.state / "hub/clusters.sqlite").unlink()
    made.hub.start()
    none_left(cluster, lost)
    assert parts(cluster) == ["secret/theirs"]


def test_pods_whose_secret_is_gone_are_ended_by_kubernetes(broker: Start, cluster: Cluster) -> None:
    """As where the creation of a pod was held up until after the end of its cluster."""
    made = broker()
    name = made.submit()
    until(lambda: made.status(name) == "RUNNING", 120, "the cluster")
    made.hub.stop()
    [secret] = [each for each in parts(cluster, name) if each.startswith("secret/")]
    cluster.kubectl("delete", secret)
    none_left(cluster)


# Ends of pods.


def test_a_worker_that_is_deleted_is_replaced(broker: Start, cluster: Cluster) -> None:
    made = broker()
    with made.cluster(2) as (dask, client):
        futures = client.map(slowly, range(10))
        before = {each["metadata"]["name"] for each in pods_of(cluster, "dask-worker")}
        cluster.kubectl("delete", "pod", min(before), "--wait=false")
        assert client.gather(futures) == [n * n for n in range(10)]
        until(lambda: min(before) not in str(parts(cluster)), what="the end of the pod")
        until(lambda: len(pods_of(cluster, "dask-worker")) == 2, what="another worker")
        client.wait_for_workers(2, timeout=2 * MINUTE)
        dask.shutdown()
    none_left(cluster)


def test_a_scheduler_that_is_deleted_takes_its_workers_with_it(
    broker: Start, cluster: Cluster
) -> None:
    made = broker()
    with made.cluster(1) as (dask, _):
        [scheduler] = pods_of(cluster, "dask-scheduler")
        cluster.kubectl("delete", "pod", scheduler["metadata"]["name"])
        until(lambda: made.status(dask.name) == "FAILED", 120, "the end of the cluster")
        assert "its scheduler has ended" in made.reason(dask.name)
    none_left(cluster)


# An API server that is away.


@pytest.mark.timeout(2 * OUTAGE + 10 * MINUTE)
@pytest.mark.parametrize("how", ["refuse", "hang", "503"])
def test_an_outage_under_clusters_that_compute(
    broker: Start, cluster: Cluster, api: ApiProxy, how: str
) -> None:
    made = broker()
    with made.cluster(1) as (one, first), made.cluster(1, "grace") as (two, second):
        before = set(parts(cluster))
        tasks = max(8, int(OUTAGE))
        futures = first.map(slowly, range(tasks)), second.map(slowly, range(tasks))
        api.away(how)
        one.scale(2)
        two.shutdown() if how == "503" else None
        threading.Event().wait(OUTAGE)
        made.kill()
        assert set(parts(cluster)) == before
        api.back()
        first.wait_for_workers(2, timeout=2 * MINUTE)
        assert first.gather(futures[0]) == [n * n for n in range(tasks)]
        if how != "503":
            assert second.gather(futures[1]) == [n * n for n in range(tasks)]
            two.shutdown()
        one.shutdown()
    none_left(cluster)


def test_a_create_whose_answer_is_lost_is_one_pod(
    broker: Start, cluster: Cluster, api: ApiProxy
) -> None:
    made = broker()
    api.rules = [once("lose", lambda request: request.method == "POST") for _ in range(3)]
    with made.cluster(1) as (dask, client):
        assert client.submit(pow, 2, 5).result() == 32
        assert len(parts(cluster)) == 3
        dask.shutdown()
    none_left(cluster)
