"""Jobs, data assets and datastores of a workspace."""

from __future__ import annotations

import asyncio
import re

import pytest

from greyhub.azureml.errors import NotFound, Refused, Unavailable
from greyhub.azureml.names import is_of_hub, tags
from greyhub.azureml.workspace import Workspace
from tests.azureml.conftest import asked, settings_for
from tests.support.waiting import MINUTE


def command(azure, said="sleep 600", user="ada", **more):
    """What is sent to submit a job."""
    environment = f"{azure.cloud.id}/environments/lab/versions/1"
    properties = {
        "jobType": "Command",
        "command": said,
        "environmentId": environment,
        "tags": tags("hub", user),
    }
    return {"properties": properties | more}


async def status(workspace, name, *wanted):
    """Wait until a job is in one of these states."""
    async with asyncio.timeout(MINUTE):
        while (found := (await workspace.jobs())[name]["properties"]["status"]) not in wanted:  # noqa: ASYNC110
            await asyncio.sleep(workspace.settings.poll_interval)
    return found


async def test_the_life_of_a_job(azure, workspace):
    """It runs, is found by its tag and ends when it is told to."""
    await workspace.create_job("dask-a", command(azure))
    await status(workspace, "dask-a", "Running")
    assert is_of_hub((await workspace.jobs("greyhub-hub"))["dask-a"], "hub")
    assert await workspace.jobs("another-tag") == {}
    await workspace.finished(await workspace.cancel_job("dask-a"), MINUTE)
    assert (await workspace.job("dask-a"))["properties"]["status"] == "Canceled"
    await workspace.finished(await workspace.cancel_job("dask-a"), MINUTE)
    assert azure.jobs()["dask-a"] == []
    assert azure.violations == []
    with pytest.raises(NotFound):
        await workspace.job("dask-b")
    with pytest.raises(NotFound):
        await workspace.cancel_job("dask-b")


@pytest.mark.parametrize("fault", ["lost", "reset", "unavailable"])
async def test_one_job_whatever_becomes_of_the_reply(azure, workspace, fault):
    """Also when it is submitted again by a hub that was killed."""
    azure.fault(fault, method="PUT", path="jobs/")
    await workspace.create_job("dask-a", command(azure))
    assert asked(azure, "PUT") == (1 if fault == "lost" else 2)
    await workspace.create_job("dask-a", command(azure))
    assert list(azure.jobs()) == ["dask-a"]
    with pytest.raises(Refused) as caught:
        await workspace.create_job("dask-a", command(azure, user="grace"))
    assert caught.value.reason == "name-taken"


async def test_tags_of_the_settings_are_added(azure):
    """A job has its tags among its properties."""
    workspace = Workspace(settings_for(azure, tags={"cost-centre": "1"}))
    await workspace.create_job("dask-a", command(azure))
    assert (await workspace.job("dask-a"))["properties"]["tags"]["cost-centre"] == "1"
    await workspace.close()


async def test_many_who_poll_share_one_list(azure):
    """A worker of a cluster each."""
    workspace = Workspace(settings_for(azure, poll_interval=3600))
    await asyncio.gather(*(workspace.jobs("greyhub-hub") for _ in range(100)))
    assert asked(azure, "GET", "/jobs") == 1
    await workspace.create_job("dask-a", command(azure))
    assert "dask-a" in await workspace.jobs("greyhub-hub")
    assert asked(azure, "GET", "/jobs") == 2
    await workspace.close()


async def test_jobs_of_a_workspace_that_is_missing(azure):
    """Are not gone."""
    workspace = Workspace(settings_for(azure, workspace="other"))
    for ask in (workspace.jobs(), workspace.job("dask-a"), workspace.cancel_job("dask-a")):
        with pytest.raises(Refused) as caught:
            await ask
        assert caught.value.reason == "workspace"
    await workspace.close()


async def test_where_a_job_runs(azure, workspace):
    """On a cluster, the address of its node is known; where Azure chooses, it is not."""
    cluster = {
        "location": azure.region,
        "tags": tags("hub", ""),
        "properties": {
            "computeType": "AmlCompute",
            "properties": {
                "vmSize": "Standard_DS1_v2",
                "scaleSettings": {"maxNodeCount": 2, "minNodeCount": 0},
            },
        },
    }
    await workspace.finished(await workspace.create_compute("cluster-a", cluster), MINUTE)
    there = f"{azure.cloud.id}/computes/cluster-a"
    for name in ("dask-a", "dask-b"):
        await workspace.create_job(name, command(azure, computeId=there))
        await status(workspace, name, "Running")
    [node] = await workspace.nodes("dask-b")
    assert node["privateIpAddress"]
    assert [node] != await workspace.nodes("dask-a")
    await workspace.create_job("dask-c", command(azure))
    assert await workspace.nodes("dask-c") == []


async def test_a_job_that_fails(azure, workspace):
    """Says so by its state."""
    await workspace.create_job("dask-a", command(azure, "exit 3"))
    assert await status(workspace, "dask-a", "Completed", "Failed") == "Failed"


async def test_what_the_name_of_an_environment_stands_for(azure, workspace):
    """Its latest version, or one that is named; one that is elsewhere is taken as it is."""
    for version in ("1", "2"):
        azure.add_environment("dask", version, image=f"dask:{version}")
    own = f"{azure.cloud.id}/environments/dask/versions"
    assert await workspace.environment_id("dask") == f"{own}/2"
    for said in ("dask:1", "azureml:dask:1", f"{own}/1"):
        assert await workspace.environment_id(said) == f"{own}/1"
    for said in ("azureml://registries/r/environments/e/versions/1", "/subscriptions/other"):
        assert await workspace.environment_id(said) == said
    for said in ("desk", "dask:3", f"{own}/3", "../jobs", ""):
        with pytest.raises(Refused) as caught:
            await workspace.environment_id(said)
        assert caught.value.reason in ("environment", "invalid")


async def test_data_assets(azure, workspace):
    """By name and version, all pages of them."""
    azure.cloud.page_size = 1
    where = "azureml://datastores/lab/paths/x"
    for version in ("1", "2"):
        azure.add_data("era5", version, dataType="uri_folder", dataUri=where)
    azure.add_data("iris", "1", dataType="uri_file", dataUri=f"{where}.csv")
    names = {each["name"]: each["properties"] for each in await workspace.data_assets()}
    assert {name: each["latestVersion"] for name, each in names.items()} == {
        "era5": "2",
        "iris": "1",
    }
    assert sorted(each["name"] for each in await workspace.data_versions("era5")) == ["1", "2"]
    assert (await workspace.data_version("iris", "1"))["properties"]["dataType"] == "uri_file"
    for ask in (workspace.data_version("iris", "2"), workspace.data_versions("none")):
        with pytest.raises(NotFound):
            await ask


@pytest.mark.parametrize("name", ["../computes", "era5/versions/1?x=", "..", "", "%2e%2e", "é ü"])
async def test_a_name_leads_nowhere_else(azure, workspace, name):
    """Whatever somebody asks for in a notebook."""
    azure.add_data("era5", "1", dataType="uri_folder", dataUri="azureml://datastores/l/paths/x")
    for ask in (
        workspace.data_versions(name),
        workspace.data_version(name, "1"),
        workspace.datastore(name),
    ):
        with pytest.raises((NotFound, Refused)):
            await ask
    whole = rf"{azure.cloud.id}(/(data|datastores)/.+)?"
    assert all(re.fullmatch(whole, each.path) for each in azure.requests)


async def test_datastores(azure, workspace):
    """Without their secrets."""
    azure.add_datastore(
        "lab",
        datastoreType="AzureBlob",
        accountName="labdata",
        containerName="x",
        credentials={
            "credentialsType": "AccountKey",
            "secrets": {"secretsType": "AccountKey", "key": "aHVzaA=="},
        },
    )
    [found] = await workspace.datastores()
    assert found == await workspace.datastore("lab")
    assert found["properties"]["accountName"] == "labdata"
    assert "aHVzaA==" not in str(found)
    with pytest.raises(NotFound):
        await workspace.datastore("none")


async def test_an_outage(azure):
    """Tells nothing of a job."""
    workspace = Workspace(settings_for(azure, patience=0.1))
    azure.fault("unavailable", method="GET", times=99)
    for ask in (workspace.jobs(), workspace.job("dask-a"), workspace.data_versions("era5")):
        with pytest.raises(Unavailable):
            await ask
    await workspace.close()
