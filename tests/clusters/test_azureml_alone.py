"""``greyhub.azureml.AzureMLCluster``: a cluster of jobs without a hub, in a simulated workspace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cloudpickle
import pytest
import requests

pytest.importorskip("distributed")

from greyhub.agent.hub import NotGiven
from greyhub.azureml import AzureMLCluster
from greyhub.azureml.dask_arguments import GONE, where
from greyhub.azureml.dask_nodes import is_from
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.errors import ClusterError
from tests.azureml import thieves
from tests.azureml.asking import Asking
from tests.azureml.hubs import settings_of
from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until

cloudpickle.register_pickle_by_value(sys.modules[__name__])

pytestmark = pytest.mark.processes

Make = Callable[..., AzureMLCluster]


def options(azure: Simulator, **more: Any) -> dict[str, Any]:
    """The arguments of a cluster."""
    own = {
        "vm_size": "Standard_DS3_v2",
        "environment_definition": "dask",
        "host": "127.0.0.1",
        "python": sys.executable,
        "scheduler_port": free_port(),
        "dashboard_port": free_port(),
        "nthreads": 1,
        "poll_interval": 0.2,
        "start_timeout": MINUTE,
    }
    return settings_of(azure) | own | more


@pytest.fixture
def make(azure: Simulator) -> Iterator[Make]:
    made = []

    def cluster(**more: Any) -> AzureMLCluster:
        found = AzureMLCluster(**options(azure, **more))
        made.append(found)
        return found

    yield cluster
    for each in made:
        each.close()
    assert running(azure) == []


def running(azure: Simulator) -> list[str]:
    return [name for name, pids in azure.jobs().items() if pids]


def test_it_computes_scales_and_leaves_nothing(azure: Simulator, make: Make) -> None:
    cluster = make(initial_node_count=2)
    with cluster.get_client() as client:
        client.wait_for_workers(2, timeout=MINUTE)
        assert client.submit(pow, 2, 10).result(MINUTE) == 1024
        assert len(running(azure)) == 3
        kept = client.map(lambda i: i, range(20), pure=False)
        assert client.gather(kept) == list(range(20))
        cluster.scale(1)
        until(lambda: len(running(azure)) == 2, 60, "the end of a worker's job")
        assert client.gather(kept) == list(range(20))
        page = requests.get(cluster.dashboard_link, timeout=60)
        assert page.status_code == 200
        assert "bokeh" in page.text.lower()
        plain = cluster.dashboard_link.replace(cluster.source.prefix, "")
        assert requests.get(plain, timeout=60).status_code == 404
    keys = cluster.security
    cluster.close()
    said = [f"{each.path} {each.body}" for each in azure.requests]
    assert any("greyhub.agent --once" in each for each in said)
    secret = [line for line in keys.tls_client_key.splitlines() if len(line) > 40]
    assert not any(each in text for each in [*secret, cluster.source.prefix] for text in said)
    assert azure.violations == []


def test_a_worker_that_dies_is_forgotten_and_another_asked_for(
    azure: Simulator, make: Make
) -> None:
    cluster = make(initial_node_count=1)
    with cluster.get_client() as client:
        client.wait_for_workers(1, timeout=MINUTE)
        [worker] = [each for each in running(azure) if "worker" in each]
        for pid in azure.jobs()[worker]:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not cluster.workers, 60, "the end of the worker's job")
        assert cluster.plan == set()
        cluster.scale(1)
        assert client.submit(pow, 2, 10).result(MINUTE) == 1024


@pytest.mark.parametrize("part", ["scheduler", "worker"])
def test_it_ends_where_a_nonce_is_shown_by_somebody_else(
    azure: Simulator, make: Make, part: str
) -> None:
    """Who of the two is the job is not known; one of them may have the cluster's keys."""
    cluster = make(initial_node_count=1)
    with cluster.get_client() as client:
        client.wait_for_workers(1, timeout=MINUTE)
    with pytest.raises(NotGiven):
        thieves.register(azure, f"dask-{cluster.source.name}-{part}")
    until(lambda: cluster.status.name == "closed", 60, "the end of the cluster")
    assert running(azure) == []


@pytest.fixture(scope="module")
def compute(azure: Simulator) -> dict[str, str]:
    """Jobs on nodes whose addresses Azure tells; their agents ask from this machine's."""
    properties = {"vmSize": "Standard_DS1_v2", "scaleSettings": {"maxNodeCount": 9}}
    body = {"computeType": "AmlCompute", "properties": properties}
    ask = Asking(azure)
    ask.done(ask("PUT", "computes/cpu", {"location": "westeurope", "properties": body}))
    return {"vm_size": "", "compute_target": "cpu"}


def test_whoever_asks_from_elsewhere_than_the_jobs_node_gets_nothing(
    make: Make, compute: dict[str, str]
) -> None:
    with pytest.raises(RuntimeError, match=r"asked from 127\.0\.0\.1, which is not in 127\.2\."):
        make(**compute)
    with pytest.raises(RuntimeError, match=r"asked from 127\.0\.0\.1, which is not in 10\.1\."):
        make(networks=["10.1.0.0/16"])  # serverless: Azure tells no node


def test_jobs_may_ask_from_networks_that_are_named(make: Make, compute: dict[str, str]) -> None:
    cluster = make(**compute, networks=["127.0.0.0/8"], initial_node_count=1)
    with cluster.get_client() as client:
        assert client.submit(pow, 2, 10).result(MINUTE) == 1024


def test_an_address_of_the_node_is_one_that_its_agent_may_ask_from() -> None:
    assert is_from("10.1.0.5", ["10.2.0.0/16", "10.1.0.5"])
    assert not is_from("10.1.0.6", ["10.2.0.0/16", "10.1.0.5"])


def test_it_ends_with_its_scheduler(azure: Simulator, make: Make) -> None:
    """Also by itself, when there is nothing to do."""
    cluster = make(initial_node_count=1, scheduler_idle_timeout=1)
    until(lambda: cluster.status.name == "closed", 60, "the end of the idle cluster")
    assert running(azure) == []


def test_where_azure_does_not_answer_it_ends_by_its_agents(azure: Simulator, make: Make) -> None:
    cluster = make(initial_node_count=1, patience=0.5)
    until(lambda: len(cluster.scheduler_info["workers"]) == 1, 60, "the worker")
    azure.fault("reset", times=sys.maxsize)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            cluster.close()
    finally:
        azure.heal()
    assert not [each for each in told if "whether the job" in str(each.message)]
    until(lambda: running(azure) == [], 60, "the end of all jobs")


def test_the_end_of_the_process_ends_it(azure: Simulator, tmp_path: Path) -> None:
    script = tmp_path / "notebook.py"
    script.write_text(
        "import json, sys\n"
        "from greyhub.azureml import AzureMLCluster\n"
        "cluster = AzureMLCluster(**json.load(sys.stdin))\n"
        "cluster.get_client().wait_for_workers(1)\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        input=json.dumps(options(azure, initial_node_count=1)),
        capture_output=True,
        text=True,
        timeout=MINUTE,
    )
    assert done.returncode == 0, done.stderr
    assert running(azure) == []


@pytest.mark.parametrize(
    ("fault", "own", "words"),
    [
        ("quota", {}, "quota"),
        ("", {"environment_definition": "desk"}, "desk"),
        ("", {"python": "/bin/false"}, "has ended"),
    ],
)
def test_why_it_does_not_start_is_told(
    azure: Simulator, make: Make, fault: str, own: dict[str, Any], words: str
) -> None:
    if fault:
        azure.fault(fault, method="PUT", path="jobs/")
    with pytest.raises(RuntimeError, match=words):
        make(**own)
    assert running(azure) == []


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"vm_size": "a", "compute_target": "b"},
        {"vm_size": "a", "scheduler_idle_timeout": 0},
        {"vm_size": "a", "lifetime": 22 * 86400},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(own: dict[str, Any]) -> None:
    with pytest.raises(ClusterError):
        AzureMLCluster("w", subscription="s", resource_group="g", **own)


@pytest.mark.parametrize("argument", GONE)
def test_an_argument_of_long_ago_is_refused_in_words(argument: str) -> None:
    with pytest.raises(TypeError, match=f"{argument} any more: "):
        AzureMLCluster("w", vm_size="a", subscription="s", resource_group="g", **{argument: 1})


def test_an_argument_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="takes no colour"):
        AzureMLCluster("w", vm_size="a", subscription="s", resource_group="g", colour="grey")


def test_a_workspace_is_a_name_a_file_or_an_object(tmp_path: Path) -> None:
    told = {"subscription": "s", "resource_group": "g", "workspace": "w"}
    file = tmp_path / "config.json"
    file.write_text(
        json.dumps({"subscription_id": "s", "resource_group": "g", "workspace_name": "w"})
    )
    assert where("w") == {"workspace": "w"}
    assert where(str(file)) == where(file) == told
    assert where(SimpleNamespace(subscription_id="s", resource_group="g", name="w")) == told
    file.write_text("{}")
    with pytest.raises(ClusterError, match="no config"):
        where(file)
