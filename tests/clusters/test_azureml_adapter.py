"""The adapter of clusters of jobs: what it tells the broker, what it refuses, what jobs show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

pytest.importorskip("dask_gateway_server")

from greyhub.broker.scheduler_addresses import refused
from greyhub.clusters.azureml import AzureMLCluster
from greyhub.errors import ConfigError
from tests.support.adapters import FakeHub, ticket

Make = Callable[..., AzureMLCluster]

WORKSPACE = {
    "subscription": "s",
    "resource_group": "g",
    "workspace": "w",
    "credential": "service-principal",
    "tenant_id": "t",
    "client_id": "c",
    "client_secret": "hush",
}
OWN = {"compute": "cpu", "networks": ["10.1.0.0/16"]}


@pytest.fixture
def adapter(tmp_path: Path) -> Make:
    """Makes one, with some options more."""

    def make(hub: Any = None, **own: Any) -> AzureMLCluster:
        fake = FakeHub.at(tmp_path)
        fake.make_state()
        public = {"public_url": "https://hub.example.org/"} if hub is None else hub
        config = {"AzureML": WORKSPACE, "AzureMLCluster": {**OWN, **own}, "JupyterHub": public}
        fake.config = Config(config)
        return AzureMLCluster(parent=fake)

    return make


def test_jobs_reach_the_broker_by_the_hubs_own_address(adapter: Make) -> None:
    """So that tokens and heartbeats are under TLS."""
    told = json.loads(json.dumps(adapter().settings()))["config"]
    own = "https://hub.example.org/services/clusters"
    assert told["AzureMLBackend"]["rendezvous_url"] == own
    assert told["BrokerBackend"]["api_url"] == f"{own}/api"
    based = adapter({"public_url": "https://hub.example.org/", "base_url": "/grey/"})
    assert based.jobs_url == "https://hub.example.org/grey/services/clusters"
    other = adapter(jobs_hub_url="https://hub.internal/grey/")
    assert other.jobs_url == "https://hub.internal/grey/services/clusters"


def test_a_job_has_its_environments_interpreter_and_not_the_notebooks(
    adapter: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = adapter(job_python="/opt/conda/bin/python")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of-ada")
    monkeypatch.setattr("greyhub.clusters.gateway_cluster.BrokerCluster", dict)
    assert made.connect(ticket(made))["python"] == ""  # which the broker fills in
    assert made.settings()["config"]["BrokerBackend"]["python"] == "/opt/conda/bin/python"
    assert made.connect(ticket(made), python="/opt/own/bin/python")["python"].startswith("/opt/own")


def test_secrets_are_not_among_the_settings(adapter: Make) -> None:
    [service] = adapter().contribute().services
    assert "hush" not in service["environment"]["GREYHUB_BROKER"]
    secret = json.loads(service["environment"]["GREYHUB_BROKER_SECRETS"])
    assert secret == {"AzureML": {"client_secret": "hush"}}


@pytest.mark.parametrize(
    ("own", "where"),
    [
        ({"job_environment": ""}, "job_environment"),
        ({"networks": []}, "networks"),
        ({"compute": ""}, "compute"),
        ({"instance_type": "Standard_DS3_v2"}, "compute"),
    ],
)
def test_what_is_missing_is_told(adapter: Make, own: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        adapter(**own).contribute()
    assert caught.value.where == f"c.AzureMLCluster.{where}"


def test_an_address_for_jobs_is_needed(adapter: Make) -> None:
    with pytest.raises(ConfigError) as caught:
        adapter({}).contribute()
    assert caught.value.where == "c.JupyterHub.public_url"


@pytest.mark.parametrize(
    "own",
    [{"idle_timeout": 0}, {"lifetime": 22 * 86400}, {"networks": ["10.1.0.1/16"]}],
    ids=str,
)
def test_what_would_never_end_is_refused(adapter: Make, own: dict[str, Any]) -> None:
    with pytest.raises(TraitError):
        adapter(**own)


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("tls://10.1.0.5:40000", True),
        ("tls://10.2.0.5:40000", False),
        ("http://169.254.169.254:80", False),
        ("http://10.1.0.5:22", False),
        ("http://hub.internal:8888", False),
        ("http://[10.1.0.5:8888", False),
        ("", True),
    ],
)
def test_a_scheduler_listens_where_jobs_are(address: str, taken: bool) -> None:
    """It is its user's, and the broker connects to what it says."""
    for name in ("scheduler_address", "dashboard_address", "api_address"):
        assert (refused({name: address}, ["10.1.0.0/16"]) == "") == taken
