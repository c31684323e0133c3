"""Clusters of Azure ML's jobs, on a real hub with its real proxy and a simulated workspace."""

from __future__ import annotations

import os
import sys
from typing import Any

import cloudpickle
import pytest
import requests

pytest.importorskip("dask_gateway_server")

from greyhub.agent.hub import NotGiven
from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml import thieves
from tests.support.azureml_brokers import AzureHub
from tests.support.brokers import no_finalizers  # noqa: F401
from tests.support.waiting import MINUTE

cloudpickle.register_pickle_by_value(sys.modules[__name__])

pytestmark = pytest.mark.processes


def secrets_of(client: Any) -> list[str]:
    """What a scheduler has that nobody else may: its token, and its key."""
    token, path = client.run_on_scheduler(
        lambda: (
            os.environ["DASK_GATEWAY_API_TOKEN"],
            os.environ["DASK_DISTRIBUTED__COMM__TLS__SCHEDULER__KEY"],
        )
    )
    with open(path) as file:
        return [token, *(line.strip() for line in file if len(line) > 40)]


def test_a_cluster_computes_scales_adapts_and_leaves_nothing(
    azure: Simulator, hub: AzureHub
) -> None:
    with hub.gateway("ada") as gateway:
        cluster = gateway.new_cluster(environment={"COLOUR": "grey"})
        azure.add_environment("dask", "2", image="dask:2")  # for clusters that begin later
        cluster.scale(2)
        with cluster.get_client() as client:
            client.wait_for_workers(2, timeout=MINUTE)
            assert client.submit(pow, 2, 10).result(MINUTE) == 1024
            assert set(client.run(os.getenv, "COLOUR").values()) == {"grey"}
            assert len(hub.running()) == 3
            secret = secrets_of(client)
            cluster.scale(1)
            hub.await_jobs(2, "the end of a worker's job")
            cluster.adapt(minimum=0, maximum=2)
            hub.await_jobs(1, "the end of the idle worker's job")
            assert client.submit(pow, 3, 3, pure=False).result(MINUTE) == 27
        assert dashboard(hub, "bob", cluster).status_code == 404
        page = dashboard(hub, "ada", cluster)
        assert page.status_code == 200
        assert "bokeh" in page.text.lower()
        cluster.shutdown()
    hub.await_jobs(0, "the end of all jobs")
    said = [f"{each.path} {each.body}" for each in azure.requests]
    assert any("greyhub.agent --once" in each for each in said)
    made = [each for each in said if cluster.name in each and '"command"' in each]
    assert len(made) > 2
    assert all("/environments/dask/versions/1" in each for each in made)
    assert not any(each in text for each in [*secret, hub.token_of("ada")] for text in said)
    assert azure.violations == []


def dashboard(hub: AzureHub, user: str, cluster: Any) -> requests.Response:
    """What a browser sees, in which somebody has logged in."""
    path = f"services/clusters/clusters/{cluster.name}/status"
    found: requests.Response = hub.login(user).get(f"{hub.url}{path}", timeout=60)
    return found


def test_an_end_is_asked_for_until_it_is_confirmed(azure: Simulator, hub: AzureHub) -> None:
    with hub.gateway("ada") as gateway:
        cluster = gateway.new_cluster()
        fault = azure.fault("forbidden", method="POST", path="/cancel", times=2)
        cluster.shutdown()
    hub.await_status("ada", cluster.name, "STOPPED")
    cancelled = f"{cluster.name}-scheduler/cancel"
    assert [each.status for each in azure.requests if each.path.endswith(cancelled)][-1] < 300
    assert fault.hits == 2
    assert hub.running() == []


def test_a_nonce_that_somebody_else_shows_ends_the_cluster(azure: Simulator, hub: AzureHub) -> None:
    """The workspace can read it: who of the two is the job is not known."""
    with hub.gateway("ada") as gateway:
        name = gateway.new_cluster().name
    with pytest.raises(NotGiven):
        thieves.register(azure, f"{name}-scheduler")
    hub.await_status("ada", name, "FAILED")
    assert "neither is trusted" in hub.ask("ada", f"clusters/{name}/reason")["reason"]
    assert hub.running() == []


def test_a_refusal_is_told_in_words(azure: Simulator, hub: AzureHub) -> None:
    azure.fault("quota", method="PUT", path="jobs/")
    with hub.gateway("ada") as gateway, pytest.raises(Exception, match="failed to start"):
        gateway.new_cluster()
    name = list(hub.ask("ada", "clusters/?status=FAILED"))[-1]
    assert "quota" in hub.ask("ada", f"clusters/{name}/reason")["reason"]
    assert hub.running() == []
