"""Why a cluster of pods, or its workers, do not start: said in words."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.kubernetes.brokers import (
    OF_THE_ADMINISTRATOR,
    Broker,
    none_left,
)
from tests.support.clusters import Cluster
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Broker]


def test_a_quota_is_told_and_ends_no_cluster_that_works(broker: Start, cluster: Cluster) -> None:
    made = broker()
    quota = {"spec": {"hard": {"pods": "2"}}, "metadata": {"name": "small"}}
    cluster.apply({"apiVersion": "v1", "kind": "ResourceQuota"} | quota)
    with made.cluster(1) as (dask, client):
        dask.scale(3)
        said = made.says(dask.name, "quota")
        assert "small" in said
        assert client.submit(pow, 2, 5).result() == 32
        name = made.submit()
        until(lambda: made.status(name) == "FAILED", what="the refusal")
        assert "the quota of the platform's namespace is used up" in made.reason(name)
        cluster.kubectl("delete", "resourcequota", "small")
        client.wait_for_workers(3, timeout=5 * MINUTE)
        dask.shutdown()
    none_left(cluster)


def test_an_image_that_is_nowhere_is_told(broker: Start, cluster: Cluster) -> None:
    nowhere = "localhost/nowhere:1"
    made = broker(OF_THE_ADMINISTRATOR + f"c.KubernetesCluster.allowed_images = [{nowhere!r}]\n")
    name = made.submit(image=nowhere)
    assert f"the image {nowhere} cannot be pulled" in made.says(name, "cannot be pulled")
    assert made.ask("DELETE", name).ok
    none_left(cluster)


def test_an_interpreter_that_is_nowhere_is_told(broker: Start, cluster: Cluster) -> None:
    made = broker()
    name = made.submit(python="/opt/nowhere/bin/python")
    until(lambda: made.status(name) == "FAILED", what="the failure")
    assert "/opt/nowhere/bin/python" in made.reason(name)
    none_left(cluster)


def test_workers_for_which_there_is_no_room_are_told(broker: Start, cluster: Cluster) -> None:
    profiles = [{"name": "gpu", "gpus": 1, "node_selector": {"pool": "gpu"}}]
    made = broker(OF_THE_ADMINISTRATOR + f"c.KubernetesCluster.profiles = {json.dumps(profiles)}\n")
    with made.cluster(0, profile="gpu") as (dask, _):
        dask.scale(1)
        assert "0/1 nodes" in made.says(dask.name, "no node has room for the worker")
        dask.shutdown()
    none_left(cluster)
