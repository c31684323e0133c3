"""Simulated jobs, the nodes they run on, data assets and datastores."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from greyhub.conformance.testkit.azureml import Simulator, Times
from tests.azureml.asking import SIZE, Asking
from tests.support.waiting import until

pytestmark = pytest.mark.processes


@pytest.fixture
def azure() -> Iterator[Simulator]:
    with Simulator(times=Times(cancel_grace=0.3)) as simulator:
        yield simulator


@pytest.fixture
def ask(azure: Simulator) -> Asking:
    return Asking(azure)


def job(command: str, **more: Any) -> dict[str, Any]:
    return {
        "properties": {
            "jobType": "Command",
            "command": command,
            "environmentId": "azureml:dask:1",
            **more,
        }
    }


def status(ask: Asking, name: str, *wanted: str) -> str:
    """The job's status as soon as it is one of these."""

    def reached() -> str:
        now: str = ask.get(f"jobs/{name}")["properties"]["status"]
        return now if now in wanted else ""

    return until(reached, what=f"{name} being {wanted}")


def test_a_job_runs_its_command_and_keeps_its_output(azure: Simulator, ask: Asking) -> None:
    inputs = {"n": {"jobInputType": "literal", "value": "42"}}
    body = job(
        "echo $WORD ${{inputs.n}} $AZUREML_RUN_ID",
        environmentVariables={"WORD": "hello"},
        inputs=inputs,
        tags={"hub": "lab"},
    )
    answer = ask("PUT", "jobs/worker-1", body)
    assert answer.status_code == 201
    assert answer.json()["properties"]["status"] == "NotStarted"
    assert status(ask, "worker-1", "Completed", "Failed") == "Completed"
    assert azure.output("worker-1") == "hello 42 worker-1\n"
    assert azure.jobs() == {"worker-1": []}
    assert not azure.violations


def test_its_temporary_files_go_with_it_and_others_stay(azure: Simulator, ask: Asking) -> None:
    """Elsewhere a job has a container, with a /tmp of its own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as others:
        own = Path(f"{others}-of-the-job")
        running = Path(f"{others}-of-another")
        command = f"mkdir {own}; echo secret > {own}/file; cat {own}/file; touch {others}/file"
        ask("PUT", "jobs/worker-1", job(command))
        ask("PUT", "jobs/worker-2", job(f"mkdir {running}; sleep 1000"))
        assert status(ask, "worker-1", "Completed", "Failed") == "Completed"
        assert azure.output("worker-1") == "secret\n"
        assert not own.exists()
        assert Path(others, "file").exists()
        until(running.exists, what="the other job")
        azure.close()
        assert not running.exists()


def test_a_command_that_fails_is_a_failed_job(ask: Asking) -> None:
    ask("PUT", "jobs/worker-1", job("exit 3"))
    assert status(ask, "worker-1", "Completed", "Failed") == "Failed"


def test_a_job_that_takes_too_long_fails(azure: Simulator, ask: Asking) -> None:
    limits = {"jobLimitsType": "Command", "timeout": "PT1S"}
    ask("PUT", "jobs/worker-1", job("sleep 1000", limits=limits))
    assert status(ask, "worker-1", "Completed", "Failed") == "Failed"
    assert azure.jobs() == {"worker-1": []}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("trap 'echo term; exit 0' TERM; echo on; while :; do sleep 0.1; done", "term\n"),
        ("trap '' TERM; echo on; while :; do sleep 0.1; done", "on\n"),
    ],
    ids=["which-ends-by-itself", "which-must-be-killed"],
)
def test_a_job_is_cancelled(azure: Simulator, ask: Asking, command: str, said: str) -> None:
    ask("PUT", "jobs/worker-1", job(command))
    until(lambda: azure.output("worker-1"), what="the job")
    assert azure.jobs()["worker-1"]
    answer = ask("POST", "jobs/worker-1/cancel")
    assert answer.status_code == 202
    # One that ends by itself may have done so before this is asked.
    assert ask.get("jobs/worker-1")["properties"]["status"] in ("CancelRequested", "Canceled")
    until(lambda: ask("GET", answer.headers["Location"]).status_code == 200, what="the end")
    assert status(ask, "worker-1", "Canceled")
    assert azure.output("worker-1").startswith("on\n")
    assert azure.output("worker-1").endswith(said)
    assert azure.jobs() == {"worker-1": []}
    assert ask("POST", "jobs/worker-1/cancel").status_code == 200


def test_a_job_is_submitted_once(ask: Asking) -> None:
    assert ask("PUT", "jobs/worker-1", job("true")).status_code == 201
    assert ask("PUT", "jobs/worker-1", job("true", tags={"new": "1"})).status_code == 200
    assert ask("PUT", "jobs/worker-1", job("false")).status_code == 409
    assert ask("POST", "jobs/nobody/cancel").status_code == 404


def test_jobs_are_listed_newest_first_and_by_tag(ask: Asking) -> None:
    for name, tags in (("a", {"hub": "x"}), ("b", {"hub": "y"}), ("c", {"hub": "x"})):
        ask("PUT", f"jobs/{name}", job("true", tags=tags))
    assert [each["name"] for each in ask.get("jobs")["value"]] == ["c", "b", "a"]
    found = ask("GET", "jobs", tag="hub=x").json()["value"]
    assert [each["name"] for each in found] == ["c", "a"]


def test_a_cluster_has_as_many_nodes_as_it_says(azure: Simulator, ask: Asking) -> None:
    properties = {"vmSize": SIZE, "scaleSettings": {"maxNodeCount": 1}}
    body = {"properties": {"computeType": "AmlCompute", "properties": properties}}
    answer = ask("PUT", "computes/workers", body)
    ask.done(answer)
    place = answer.json()["id"]
    for name in ("first", "second"):
        ask("PUT", f"jobs/{name}", job("echo on; sleep 1000", computeId=place))
    status(ask, "first", "Running")
    status(ask, "second", "Queued")
    (node,) = ask("POST", "computes/workers/listNodes").json()["nodes"]
    assert (node["runId"], node["nodeState"]) == ("first", "running")
    ask("POST", "jobs/first/cancel")
    status(ask, "second", "Running")
    answer = ask("PUT", "jobs/third", job("true", computeId=f"{place}-not"))
    assert answer.status_code == 400


def test_a_jobs_body_is_checked(azure: Simulator, ask: Asking) -> None:
    body = job("true")
    del body["properties"]["environmentId"]
    answer = ask("PUT", "jobs/worker-1", body)
    assert answer.status_code == 400
    assert "environmentId is required" in answer.text


def test_data_assets_have_versions(azure: Simulator, ask: Asking) -> None:
    uri = "azureml://datastores/archive/paths/era5"
    azure.add_data("era5", "1", dataType="uri_folder", dataUri=uri, tags={"by": "met"})
    azure.add_data("era5", "2", dataType="uri_folder", dataUri=f"{uri}/new")
    azure.add_data("era", "1", dataType="mltable", dataUri=uri)
    assert {each["name"] for each in ask.get("data")["value"]} == {"era5", "era"}
    versions = ask.get("data/era5/versions")["value"]
    assert [each["name"] for each in versions] == ["2", "1"]
    assert ask.get("data/era5/versions/1")["properties"]["dataUri"] == uri
    assert ask("GET", "data/era5/versions/3").status_code == 404
    assert ask("GET", "data/nothing/versions").status_code == 404
    with pytest.raises(ValueError, match="dataType"):
        azure.add_data("bad", "1", dataType="table", dataUri=uri)


def test_datastores_do_not_show_their_secrets(azure: Simulator, ask: Asking) -> None:
    secret = {"secretsType": "AccountKey", "key": "s3cret"}
    azure.add_datastore(
        "archive",
        datastoreType="AzureBlob",
        accountName="lab",
        containerName="archive",
        credentials={"credentialsType": "AccountKey", "secrets": secret},
    )
    found = ask.get("datastores/archive")
    assert found["properties"]["containerName"] == "archive"
    assert [each["name"] for each in ask.get("datastores")["value"]] == ["archive"]
    assert not any("s3cret" in each.answer for each in azure.requests)


@pytest.mark.parametrize("wait", [0, 0.02, 0.05, 0.08])
def test_nothing_is_left_of_what_was_just_being_started(wait: float) -> None:
    with Simulator(times=Times(queue=0)) as azure:
        ask = Asking(azure)
        for number in range(6):
            ask("PUT", f"jobs/worker-{number}", job("sleep 1000"))
        threading.Event().wait(wait)
    folder = str(azure.folder)
    assert not [each.pid for each in psutil.process_iter() if _home(each).startswith(folder)]


def _home(process: psutil.Process) -> str:
    try:
        return str(process.environ().get("HOME", ""))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""
