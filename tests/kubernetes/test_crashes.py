"""A hub that is killed at each request of a start or a stop: no server is lost, none is left."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.support.clusters import ApiProxy, Cluster
from tests.support.hubs import Hub
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Hub]

QUICK = "c.Spawner.poll_interval = 1\nc.PodSpawner.delete_grace_period = 3\n"

AT_START = ["POST secrets", "POST pods", "PATCH secrets/NAME"]
AT_STOP = ["DELETE pods/NAME", "GET pods/NAME", "DELETE secrets/NAME"]


def step(method: str, path: str) -> str:
    """A request, without the names that differ: ``GET pods/NAME``."""
    rest = re.sub(r"\?.*", "", path).partition("/namespaces/")[2].split("/")[1:]
    return f"{method} {'/'.join(['NAME' if n == 1 else each for n, each in enumerate(rest)])}"


def steps(api: ApiProxy, since: int) -> list[str]:
    """The requests since then, without the watches, which go on all the time."""
    asked = [each for each in api.requests[since:] if "watch=" not in each[1]]
    found = [step(*each) for each in asked]
    return [each for each in found if each not in ("GET pods", "GET events")]


def killer(hub: Hub, wanted: str, done: bool) -> tuple[Callable[[Any], str | None], list[str]]:
    """A rule that kills the hub at a request, before it is passed on or when it is done."""
    killed: list[str] = []

    def rule(request: Any) -> str | None:
        if killed or step(request.method, request.path_qs) != wanted:
            return None
        killed.append(wanted)
        if not done:
            assert hub.process
            hub.process.send_signal(signal.SIGKILL)
            return "refuse"
        return "lose"

    return rule, killed


@contextmanager
def killed_at(hub: Hub, api: ApiProxy, request_: str, done: bool) -> Iterator[None]:
    """After what is asked for in the block: kill the hub at a request, and start it again."""
    rule, killed = killer(hub, request_, done)
    api.rules = [rule]
    yield
    until(lambda: killed, what=request_)
    hub.stop(signal.SIGKILL)
    api.rules = []
    hub.start()


def settled(hub: Hub, cluster: Cluster, user: str) -> bool:
    """Whether hub and cluster agree: a server that answers, and one pod; or neither."""
    model, pods = hub.server(user), cluster.get("pods")
    if model is None:
        return not pods
    return bool(model["ready"]) and len(pods) == 1 and hub.answers(user)


def leaves_nothing(hub: Hub, cluster: Cluster, user: str) -> None:
    until(lambda: settled(hub, cluster, user), what="hub and cluster to agree")
    hub.spawn(user)
    assert hub.answers(user)
    assert len(cluster.get("pods")) == 1
    hub.stop_server(user)
    assert cluster.get("pods") == []
    assert cluster.get("secrets") == []


def test_these_are_all_requests_of_a_start_and_a_stop(
    pods_hub: Start, cluster: Cluster, api: ApiProxy
) -> None:
    hub = pods_hub(QUICK)
    hub.api("POST", "users/ada")
    before = len(api.requests)
    hub.spawn("ada")
    assert set(steps(api, before)) == set(AT_START)
    before = len(api.requests)
    hub.stop_server("ada")
    assert set(steps(api, before)) == set(AT_STOP)


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("request_", AT_START)
def test_killed_at_a_request_of_a_start(
    pods_hub: Start, cluster: Cluster, api: ApiProxy, request_: str, done: bool
) -> None:
    hub = pods_hub(QUICK)
    hub.api("POST", "users/ada")
    with killed_at(hub, api, request_, done):
        hub.api("POST", "users/ada/server")
    leaves_nothing(hub, cluster, "ada")


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("request_", AT_STOP)
def test_killed_at_a_request_of_a_stop(
    pods_hub: Start, cluster: Cluster, api: ApiProxy, request_: str, done: bool
) -> None:
    hub = pods_hub(QUICK)
    hub.spawn("ada")
    with killed_at(hub, api, request_, done), suppress(AssertionError):
        hub.api("DELETE", "users/ada/server")  # the hub may be gone before it answers
    leaves_nothing(hub, cluster, "ada")


def test_pods_that_the_hub_has_forgotten_end_when_it_starts(
    pods_hub: Start, cluster: Cluster, api: ApiProxy
) -> None:
    """Its database is lost; a server that is not this hub's runs on."""
    hub = pods_hub(QUICK + 'c.JupyterHub.admin_users = {"ada"}\n')
    for user in ("ada", "grace"):
        hub.spawn(user)
    [stranger] = [each for each in cluster.get("pods") if "grace" in each["metadata"]["name"]]
    stranger = {**stranger, "metadata": {**stranger["metadata"], "name": "stranger"}}
    stranger["metadata"]["labels"]["greyhub/hub"] = "another"
    for name in ("uid", "resourceVersion", "ownerReferences", "creationTimestamp"):
        stranger["metadata"].pop(name, None)
    stranger["spec"].pop("nodeName")
    cluster.apply(stranger)
    hub.stop(signal.SIGKILL)
    (hub.state / "hub/jupyterhub.sqlite").unlink()
    hub.start()
    until(
        lambda: [each["metadata"]["name"] for each in cluster.get("pods")] == ["stranger"],
        what="the end of the orphans",
    )
    until(lambda: hub.log.read_text().count("a server that the hub did not know") == 2, what="log")
