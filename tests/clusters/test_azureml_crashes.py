"""A broker that is killed at each act towards Azure ML: the next one loses and leaves nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("dask_gateway_server")

from greyhub.azureml.names import CLUSTER, HUB
from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml.asking import Asking
from tests.support.azureml_brokers import AzureHub
from tests.support.brokers import no_finalizers  # noqa: F401
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def kill(hub: AzureHub) -> None:
    """The broker is gone; the hub starts another."""
    before = hub.broker()
    assert before is not None
    os.kill(before, signal.SIGKILL)
    until(lambda: hub.broker() not in (None, before), 60, "the next broker")


def asked(azure: Simulator, kind: str, method: str, path: str) -> Callable[[], object]:
    """A moment: the next request goes wrong, and has met its fault."""
    fault = azure.fault(kind, method=method, path=path)
    return lambda: fault.hits


def said(hub: AzureHub, job: str, words: str) -> Callable[[], object]:
    """A moment: the output of a job that is new has some words."""
    before = set(hub.azure.jobs())

    def found() -> object:
        new = [each for each in hub.azure.jobs() if each not in before and job in each]
        return any(words in hub.azure.output(each) for each in new)

    return found


SCHEDULER = {
    "its job is not submitted": lambda hub: asked(hub.azure, "hang", "PUT", "jobs/"),
    "its job is, and the reply lost": lambda hub: asked(hub.azure, "lost", "PUT", "jobs/"),
    "its agent is registered": lambda hub: said(hub, "scheduler", "registered"),
    "it is started": lambda hub: said(hub, "scheduler", "started the server"),
}


@pytest.mark.parametrize("act", SCHEDULER)
@pytest.mark.parametrize("then", ["goes on", "ends"])
def test_killed_as_a_scheduler_starts(hub: AzureHub, act: str, then: str) -> None:
    jobs = len(hub.azure.jobs())
    moment = SCHEDULER[act](hub)
    name = hub.make("ada")
    until(moment, 60, act)
    kill(hub)
    hub.azure.heal()
    if then == "goes on":
        computes(hub, name)
    end(hub, name)
    assert len(hub.azure.jobs()) <= jobs + 2


def computes(hub: AzureHub, name: str) -> None:
    """The cluster runs and has a worker."""
    hub.await_status("ada", name, "RUNNING")
    with hub.gateway("ada") as gateway, gateway.connect(name) as cluster:
        cluster.scale(1)
        with cluster.get_client() as client:
            assert client.submit(pow, 2, 10).result(MINUTE) == 1024


def end(hub: AzureHub, name: str) -> None:
    """The cluster is asked to end, and nothing is left."""
    until(lambda: hub.stop_cluster("ada", name), 60, "the request to end")
    until(lambda: hub.ended("ada", name), 180, "the end of the cluster")
    assert hub.running() == []


WORKER = {
    "its job is not submitted": lambda hub: asked(hub.azure, "hang", "PUT", "jobs/"),
    "its job is, and the reply lost": lambda hub: asked(hub.azure, "lost", "PUT", "jobs/"),
    "its agent is registered": lambda hub: said(hub, "", "registered"),
    "it is started": lambda hub: said(hub, "", "started the server"),
}


@pytest.mark.parametrize("act", WORKER)
def test_killed_as_a_worker_starts(hub: AzureHub, act: str) -> None:
    name = hub.make("ada")
    hub.await_status("ada", name, "RUNNING")
    moment = WORKER[act](hub)
    with hub.gateway("ada") as gateway, gateway.connect(name) as cluster:
        cluster.scale(1)
        until(moment, 60, act)
        kill(hub)
        hub.azure.heal()
        with cluster.get_client() as client:
            assert client.submit(pow, 2, 10).result(MINUTE) == 1024
            assert len(hub.running()) == 2
    end(hub, name)


ENDING = {
    "nothing is cancelled": lambda hub: asked(hub.azure, "hang", "POST", "cancel"),
    "one is, and the reply lost": lambda hub: asked(hub.azure, "lost", "POST", "cancel"),
}


@pytest.mark.parametrize("act", ENDING)
def test_killed_as_a_cluster_ends(hub: AzureHub, act: str) -> None:
    name = hub.make("ada")
    computes(hub, name)
    moment = ENDING[act](hub)
    hub.stop_cluster("ada", name)
    until(moment, 60, act)
    kill(hub)
    hub.azure.heal()
    end(hub, name)


def submit(hub: AzureHub, job: str, **tags: str) -> None:
    """A job that is none of this hub's."""
    body = {
        "jobType": "Command",
        "command": "sleep 1000",
        "environmentId": "azureml:dask:1",
        "tags": {HUB: "another", CLUSTER: "another", **tags},
    }
    assert Asking(hub.azure)("PUT", f"jobs/{job}", {"properties": body}).ok
    until(lambda: hub.azure.jobs()[job], 30, "another's job")


def test_jobs_that_no_cluster_claims_are_cancelled_and_anothers_are_not(hub: AzureHub) -> None:
    """The broker's database is lost; the hub is the same."""
    submit(hub, "another")
    name = hub.make("ada")
    computes(hub, name)
    before = hub.broker()
    database = Path(hub.state / "hub/clusters.sqlite")
    os.kill(before or 0, signal.SIGSTOP)
    database.unlink()
    os.kill(before or 0, signal.SIGKILL)
    until(lambda: hub.running() == ["another"], 120, "the end of the jobs")
    assert hub.status("ada", name) == ""
    Asking(hub.azure)("POST", "jobs/another/cancel")
    hub.await_jobs(0, "its end")


def test_a_job_of_the_same_name_that_is_anothers_is_left_alone(hub: AzureHub) -> None:
    moment = SCHEDULER["its job is not submitted"](hub)
    name = hub.make("ada")
    until(moment, 60, "the request")
    hub.azure.heal()
    [job] = {each.path.rpartition("/")[2] for each in hub.azure.requests if name in each.path}
    submit(hub, job)
    kill(hub)
    until(lambda: hub.ended("ada", name), 60, "the end of the cluster")
    assert "for something else" in hub.ask("ada", f"clusters/{name}/reason")["reason"]
    assert hub.running() == [job]
    Asking(hub.azure)("POST", f"jobs/{job}/cancel")
    hub.await_jobs(0, "its end")
