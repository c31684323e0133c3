"""greyhub check --live: the workspace, the hub's rights, the quota, the way there."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from greyhub.azureml.live_check import (
    DATA,
    INSTANCES,
    JOBS,
    asked,
    environment,
    quota,
    workspace,
)
from greyhub.azureml.settings import AzureML
from greyhub.azureml.workspace import Workspace
from greyhub.conformance.testkit.azureml import ROLES
from tests.azureml.conftest import instance, settings_for

WHAT = "make and end instances"


async def findings(azure, rights=INSTANCES, sizes=(), **options):
    """What is found, by level."""
    settings = settings_for(azure, **options)
    found = await workspace(settings, rights, WHAT, sizes, "c.X.sizes")
    return [(each.level, each.message, each.fix, each.option) for each in found]


async def test_all_is_well(azure):
    """It is there, the hub may use it, and there is room; nothing was made."""
    found = await findings(azure, sizes=["standard_ds1_v2", "Standard_NC6s_v3"])
    assert [each[0] for each in found] == ["ok", "ok", "ok"]
    assert "in westeurope" in found[0][1]
    assert all(each.method == "GET" for each in azure.requests)


@pytest.mark.parametrize(
    ("role", "rights", "lacks"),
    [
        ("Reader", INSTANCES, "computes/write"),
        ("AzureML Data Scientist", INSTANCES, "computes/write"),
        ("AzureML Data Scientist", JOBS, ""),
        ("AzureML Data Scientist", DATA, ""),
        ("Reader", DATA, ""),
        ("Contributor", INSTANCES, ""),
    ],
)
async def test_what_a_role_lacks(azure, role, rights, lacks):
    """Is named, as Azure calls it."""
    azure.grant(ROLES["Reader"], role)
    found = await findings(azure, rights)
    assert [each[0] for each in found] == ["ok", "error" if lacks else "ok"]
    assert lacks in found[1][1]


@pytest.mark.parametrize(("said", "level"), [("dask", "ok"), ("dask:2", "error"), ("d", "error")])
async def test_an_environment_is_there_or_named_as_missing(azure, said, level):
    """With the option that names it."""
    azure.add_environment("dask", "1", image="dask:1")
    [found] = await environment(settings_for(azure), said, "c.X.environment")
    assert found.level == level
    assert found.option == ("c.X.environment" if level == "error" else "")
    assert "dask" in found.message or said in found.message


async def test_a_size_that_the_region_has_not(azure):
    """With some that it has."""
    found = await findings(azure, sizes=["Standard_XXL"])
    assert found[-1][0] == "error"
    assert "Standard_XXL" in found[-1][1]
    assert "Standard_DS1_v2" in found[-1][2]
    assert found[-1][3] == "c.X.sizes"


async def test_a_quota_that_is_used_up(azure):
    """Also by instances that are stopped: with what is used."""
    azure.cloud.quota["standardDSv2Family"] = 4
    found = await findings(azure, sizes=["Standard_DS3_v2"])
    assert found[-1][0] == "ok"
    client = Workspace(settings_for(azure))
    await client.create_compute("jupyter-a", instance())
    await client.close()
    found = await findings(azure, sizes=["Standard_DS3_v2", "Standard_E4s_v3"])
    assert [each[0] for each in found] == ["ok", "ok", "warning"]
    assert "1 of 4 vCPUs" in found[-1][1]


class Told:
    """A workspace whose region tells of sizes and quotas as the official examples do."""

    async def sizes(self):
        """One size."""
        return [{"name": "Standard_DS3_v2", "family": "standardDSv2Family", "vCPUs": 4}]

    async def usages(self):
        """Its family's quota, others', the workspace's own, and that of low priority."""
        of = "Microsoft.MachineLearningServices"
        family = "Standard DSv2 Family Cluster"
        return [
            usage(f"{of}/dedicatedCores/usages", "Total Cluster Dedicated Regional vCPUs", 0, 1),
            usage(f"{of}/vmFamily/usages", f"{family} LowPriority vCPUs", 0, -1),
            usage(f"{of}/workspaces/usages", f"{family} Dedicated vCPUs", 24, 24),
            usage(f"{of}/vmFamily/usages", "Standard D Family Cluster Dedicated vCPUs", 48, 48),
            usage(f"{of}/vmFamily/usages", f"{family} Dedicated vCPUs", self.used, 24),
        ]


def usage(kind, name, used, limit):
    """One line of what is used."""
    return {"type": kind, "currentValue": used, "limit": limit, "name": {"value": name}}


@pytest.mark.parametrize(("used", "level"), [(20, "ok"), (21, "warning")])
async def test_quotas_by_their_official_names(used, level):
    """The size's family is the beginning of the quota's name."""
    told = Told()
    told.used = used
    assert [each.level for each in await quota(told, ["Standard_DS3_v2"])] == [level]


async def test_a_workspace_that_is_missing(azure):
    """Names the options."""
    [found] = await findings(azure, workspace="other")
    assert found[0] == "error"
    assert "there is no workspace other" in found[1]
    assert found[3] == "c.AzureML.workspace"


async def test_an_identity_that_azure_refuses(azure):
    """Names the option."""
    [found] = await findings(azure, client_secret="wrong")
    assert found[0] == "error"
    assert found[3] == "c.AzureML.credential"


async def test_a_workspace_that_is_not_reached(azure, tmp_path):
    """Says so, within the check's own patience; a file that is missing is told as well."""
    bundle = tmp_path / "ca.pem"
    options = {"patience": 0.1, "ca_bundle": str(bundle)}
    [found] = await asked(settings_for(azure, **options), lambda client: client.permissions())
    assert found.option == "c.AzureML.ca_bundle"
    bundle.write_bytes(azure.ca_bundle.read_bytes())
    azure.close()
    [found] = await asked(settings_for(azure, **options), lambda client: client.permissions())
    assert found.level == "error"
    assert "let the hub's machine reach" in found.fix


async def test_what_is_not_set_is_told_without_a_request():
    """All of it at once."""
    found = await asked(AzureML(), lambda client: client.permissions())
    assert {each.option for each in found} == {
        f"c.AzureML.{name}"
        for name in ("subscription", "resource_group", "workspace", "credential")
    }


async def test_clocks_that_differ(azure, monkeypatch):
    """Are a warning: tokens and certificates suffer."""
    behind = SimpleNamespace(time=lambda: time.time() - 300, monotonic=time.monotonic)
    monkeypatch.setattr("greyhub.azureml.connection.time", behind)
    found = await findings(azure)
    assert [each[0] for each in found] == ["ok", "warning", "ok"]
    assert "Azure's clock differs by" in found[1][1]
