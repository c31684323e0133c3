"""``c.GreyHub.data = "azureml"``: assets by name and version, read with a user's own tokens."""

from __future__ import annotations

import asyncio
import json
import pickle
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError

from greyhub.azureml.data_listing import AT_ONCE
from greyhub.credentials import HubCredential
from greyhub.data.azureml_assets.uris import URIs
from greyhub.errors import CatalogError, ConfigError
from tests.data.azureml.workspace import AssetHub, Workspace
from tests.homespace.azureml.account import nothing_held
from tests.homespace.filesystem.conftest import ACCOUNT

RAIN = "day,mm\n1,3\n2,5\n"


def mm(found: Any) -> list[int]:
    return list(found["mm"])


def test_a_file_is_a_table_by_name(workspace: Workspace) -> None:
    workspace.put("rain/a.csv", RAIN)
    workspace.asset("rain", "rain/a.csv", description="Rain at\nExeter.", tags={"licence": "CC0"})
    catalog = workspace.catalog()
    assert list(catalog) == ["rain"]
    assert mm(catalog["rain"].read()) == [3, 5]
    told = json.loads(json.dumps(catalog.describe("rain")))
    assert told["description"] == "Rain at Exeter."
    assert told["container"] == "pandas:DataFrame"
    assert told["metadata"]["licence"] == "CC0"
    assert told["parameters"] == []
    assert "uri_file" in catalog._repr_html_()


def test_where_data_is_from_is_kept_on_what_is_opened(workspace: Workspace) -> None:
    workspace.put("rain/a.csv", RAIN)
    workspace.asset("rain", "rain/a.csv", version="7")
    catalog = workspace.catalog()
    known = catalog["rain"].metadata["azureml"]
    assert known.pop("id").endswith("/data/rain/versions/7")
    assert datetime.fromisoformat(known.pop("created")) <= datetime.now(UTC)
    assert known == {
        "name": "rain",
        "version": "7",
        "type": "uri_file",
        "uri": workspace.uri("rain/a.csv"),
        "job": "",
        "datastore": "lake",
        "url": f"{workspace.account.url}/homes/rain/a.csv",
    }
    assert catalog.describe("rain")["metadata"]["azureml"]["version"] == "7"


def test_the_job_whose_output_it_is_is_told(workspace: Workspace) -> None:
    place = "azureml/brave_apple_1/rain/"
    workspace.put(f"{place}a.csv", RAIN)
    workspace.asset("rain", place, kind="uri_folder")
    assert workspace.catalog()["rain"].metadata["azureml"]["job"] == "brave_apple_1"


def test_the_latest_version_is_read_or_the_one_that_is_named(workspace: Workspace) -> None:
    for version in ("1", "2"):
        workspace.put(f"rain/{version}.csv", f"day,mm\n1,{version}\n")
        workspace.asset("rain", f"rain/{version}.csv", version=version)
    catalog = workspace.catalog()
    assert mm(catalog["rain"].read()) == [2]
    assert mm(catalog.open("rain", version="1").read()) == [1]
    assert mm(catalog.open("rain", version=1).read()) == [1]
    [parameter] = catalog.describe("rain")["parameters"]
    assert (parameter["default"], sorted(parameter["allowed"])) == ("2", ["1", "2"])
    for wrong in ("3", "../1", None, True):
        with pytest.raises(ValueError, match="version"):
            catalog.open("rain", version=wrong)
    with pytest.raises(ValueError, match="no parameter"):
        catalog.open("rain", year=1)


def test_a_name_may_have_a_version(workspace: Workspace) -> None:
    for version in ("1", "2"):
        workspace.put(f"rain/{version}.csv", f"mm\n{version}\n")
        workspace.asset("rain", f"rain/{version}.csv", version=version, tags={"of": version})
    catalog = workspace.catalog()
    assert list(catalog) == ["rain"]
    for name, value in (("rain@1", 1), ("rain@2", 2), ("rain@latest", 2)):
        assert name in catalog
        assert mm(catalog[name].read()) == [value]
        told = catalog.describe(name)
        assert (told["name"], told["metadata"]["of"], told["parameters"]) == (name, str(value), [])
    assert mm(catalog.open("rain", version="latest").read()) == [2]
    for wrong in ("rain@3", "rain@", "rain@1@2", "wind@1"):
        assert wrong not in catalog
        with pytest.raises(KeyError, match="there is no"):
            catalog[wrong]
    with pytest.raises(ValueError, match="no parameter"):
        catalog.open("rain@1", version="2")


def test_a_version_that_goes_away_is_not_read_as_another(workspace: Workspace) -> None:
    workspace.put("a.csv", RAIN)
    workspace.asset("rain", "a.csv")
    entry = workspace.catalog()._entry("rain@1")
    workspace.azure.remove_data("rain")
    workspace.asset("rain", "a.csv", version="2")
    catalog = workspace.catalog()
    gone = replace(catalog._entry("rain"), pinned=entry.pinned)  # type: ignore[type-var, attr-defined]
    with pytest.raises(CatalogError, match="has no version '1' any more"):
        gone.open(catalog._policy, {})


def test_a_new_version_is_seen_and_what_was_opened_stays(workspace: Workspace) -> None:
    workspace.put("rain/1.csv", "mm\n1\n")
    workspace.asset("rain", "rain/1.csv")
    catalog = workspace.catalog()
    opened = catalog["rain"]
    workspace.put("rain/2.csv", "mm\n2\n")
    workspace.asset("rain", "rain/2.csv", version="2")
    workspace.asset("wind", "rain/2.csv")
    catalog.reload()
    assert sorted(catalog) == ["rain", "wind"]
    assert mm(catalog["rain"].read()) == [2]
    assert mm(opened.read()) == [1]


def test_only_what_the_administrator_names_is_seen(workspace: Workspace) -> None:
    workspace.put("a.csv", RAIN)
    for name in ("public-rain", "secret-rain"):
        workspace.asset(name, "a.csv")
    workspace.options["assets"] = ["public-*"]
    catalog = workspace.catalog()
    assert list(catalog) == ["public-rain"]
    with pytest.raises(KeyError, match="secret-rain"):
        catalog["secret-rain"]
    with pytest.raises(CatalogError, match="no data asset"):
        catalog._listing.versions({"name": "secret-rain"})


def test_an_asset_never_stands_in_for_a_dataset_of_a_catalogue(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_text("ours\n")
    catalog_file = tmp_path / "own.yaml"
    catalog_file.write_text(
        "sources:\n  rain: {driver: textfiles, args: {urlpath: '{{ CATALOG_DIR }}/words.txt'}}\n"
    )
    workspace.options["catalogs"] = [str(catalog_file)]
    workspace.put("a.csv", RAIN)
    for name in ("rain", "wind"):
        workspace.asset(name, "a.csv")
    catalog = workspace.catalog()
    assert sorted(catalog) == ["rain", "wind"]
    assert catalog["rain"].read() == "ours\n"
    assert "is also the name of a dataset" in str(catalog.broken["rain"])


def test_a_signature_in_a_uri_is_told_to_nobody(workspace: Workspace, hub: AssetHub) -> None:
    uri = f"https://{ACCOUNT}.blob.core.windows.net/homes/a.csv"
    workspace.asset("rain", f"{uri}?sv=2023-11-03&sig=c2VjcmV0")
    catalog = workspace.catalog()
    with pytest.raises(CatalogError, match="may be a secret") as told:
        catalog["rain"]
    shown = [str(told.value), str(catalog.describe("rain")), str(pickle.dumps(catalog))]
    assert not [each for each in shown if "c2VjcmV0" in each]
    assert f"{uri}?…" in shown[1]
    assert hub.given == []


def test_one_list_serves_all_and_listing_touches_no_version(workspace: Workspace) -> None:
    workspace.put("a.csv", RAIN)
    for number in range(120):
        workspace.asset(f"rain-{number}", "a.csv")
    workspace.options["refresh"] = 60.0
    first = workspace.catalog()
    others = [workspace.connected() for _ in range(3)]
    assert all(len(each) == 120 for each in (first, *others))
    paths = [each.path for each in workspace.azure.requests if "/data" in each.path]
    assert len(paths) == 3  # pages of 50
    assert not [each for each in paths if "/versions" in each]


def test_a_list_is_never_cut_short(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greyhub.azureml.resources.PAGES", 1)
    for number in range(120):
        workspace.asset(f"rain-{number}", "a.csv")
    with pytest.raises(CatalogError, match="more than 1 pages"):
        workspace.catalog()


async def test_few_lists_of_versions_are_asked_for_at_a_time(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, most = 0, 0

    async def versions(azure: Any, name: str) -> list[Any]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return []

    monkeypatch.setattr("greyhub.azureml.workspace.Workspace.data_versions", versions)
    for number in range(20):
        workspace.asset(f"rain-{number}", "a.csv")
    listing = workspace.adapter().listing()
    await asyncio.gather(*(listing.versions(f"rain-{number}") for number in range(20)))
    assert most == AT_ONCE


def test_a_folder_is_read_by_the_kind_of_its_files(workspace: Workspace) -> None:
    workspace.put("tables/1.csv", "mm\n1\n")
    workspace.put("tables/sub/2.csv", "mm\n2\n")
    workspace.put("tables/_SUCCESS", "")
    workspace.put("words/1.txt", "one\n")
    workspace.put("words/2.txt", "two\n")
    workspace.put("mixed/1.txt", "one\n")
    workspace.put("mixed/2.csv", "mm\n")
    for name in ("tables", "words", "mixed", "nothing"):
        workspace.asset(name, f"{name}/", kind="uri_folder")
    catalog = workspace.catalog()
    assert mm(catalog["tables"].read()) == [1, 2]
    words = catalog["words"].read()
    assert words.npartitions == 2
    assert words.compute(scheduler="synchronous") == ["one\n", "two\n"]
    with pytest.raises(CatalogError, match=r"'mixed' .*several kinds: \.csv, \.txt"):
        catalog["mixed"]
    with pytest.raises(CatalogError, match="'nothing' is not there"):
        catalog["nothing"]


ELSEWHERE = [
    "abfss://con@evil.example.org/x.csv",
    "https://evil.example.org/con/x.csv",
    "https://lake.blob.core.windows.net.example.org/con/x.csv",
    "https://lake.blob.core.windows.net:444/con/x.csv",
    "https://lake.blob.core.windows.net@evil.example.org/con/x.csv",
    "https://lake.blob.core.windows.net/con/x.csv?sig=abc",
    "http://lake.blob.core.windows.net/con/x.csv",
    "abfss://con@lake.dfs.core.chinacloudapi.cn/x.csv",
    "abfss://con@lake.dfs.core.windows.net/../x.csv",
    "adl://lake.azuredatalakestore.net/x.csv",
    "https://lake.blob.core.windows.net/con/x.csv::https://evil.example.org/x.csv",
    "azureml://datastores/other/paths/x.csv",
    "azureml://datastores/lake/paths/x.csv?sig=abc",
    "azureml://datastores/lake/paths/x.csv::simplecache",
    "azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/lake/paths/x.csv",
    "file:///etc/passwd",
    "{env(JUPYTERHUB_API_TOKEN)}",
]


@pytest.mark.parametrize("uri", ELSEWHERE)
def test_a_token_is_sent_to_storage_accounts_of_this_cloud_alone(
    workspace: Workspace, hub: AssetHub, uri: str
) -> None:
    workspace.asset("x", uri if "://" in uri else f"file://{uri}")
    catalog = workspace.catalog()
    with pytest.raises(CatalogError, match="'x' cannot be opened, version 1"):
        catalog["x"]
    assert hub.given == []


def test_uris_of_this_cloud_are_found() -> None:
    scope = "/subscriptions/S/resourceGroups/G/providers/Microsoft.MachineLearningServices/"
    lake = {"account": "lake", "container": "con", "endpoint": "", "credentials": "None"}
    stores = {
        "lake": {**lake, "type": "AzureDataLakeGen2"},
        "files": {**lake, "type": "AzureFile"},
        "evil": {**lake, "type": "AzureBlob", "endpoint": "evil.example.org"},
    }
    uris = URIs(f"{scope}workspaces/W", "core.windows.net", {}, stores)
    for uri in (
        "abfss://con@lake.dfs.core.windows.net/a/b.csv",
        "wasbs://con@lake.blob.core.windows.net/a/b.csv",
        "https://lake.blob.core.windows.net/con/a/b.csv",
        "azureml://datastores/lake/paths/a/b.csv",
        "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/lake/paths/a/b.csv",
    ):
        assert uris.find(uri).address == "https://lake.blob.core.windows.net/con/a/b.csv", uri
    for store, told in (("files", "AzureFile"), ("evil", "no storage account of this cloud")):
        with pytest.raises(ValueError, match=told):
            uris.find(f"azureml://datastores/{store}/paths/a.csv")


def test_a_login_that_has_ended_is_said(workspace: Workspace, hub: AssetHub) -> None:
    workspace.put("a.csv", RAIN)
    workspace.asset("rain", "a.csv")
    catalog = workspace.catalog()
    hub.refusing = "your login has ended\n  fix: log in again on the hub's page"
    with pytest.raises(CatalogError, match=r"(?s)'rain' .*your login has ended.*log in again"):
        catalog["rain"]


def test_a_token_that_the_account_refuses_is_said(workspace: Workspace, hub: AssetHub) -> None:
    workspace.put("a.csv", RAIN)
    workspace.asset("rain", "a.csv")
    hub.audience = "https://management.azure.com"
    with pytest.raises(CatalogError, match="gives your login no right") as told:
        workspace.catalog()["rain"]
    assert not [each for each in hub.given if each in str(told.value)]


def test_data_that_is_gone_is_said(workspace: Workspace) -> None:
    workspace.asset("rain", "nowhere.csv")
    with pytest.raises(CatalogError, match=r"'rain' is not there: there is no .*nowhere\.csv"):
        workspace.catalog()["rain"]


def test_while_azure_is_away_all_is_as_it_was(workspace: Workspace) -> None:
    workspace.put("a.csv", RAIN)
    workspace.asset("rain", "a.csv")
    catalog = workspace.catalog()
    catalog["rain"]
    workspace.azure.fault("unavailable", path="/data", times=1000)
    with pytest.raises(CatalogError, match="last answer is"):
        catalog.reload()
    for each in (catalog, workspace.connected()):
        assert mm(each["rain"].read()) == [3, 5]


def test_what_is_gone_is_described_as_it_was_listed(workspace: Workspace) -> None:
    workspace.put("a.csv", RAIN)
    workspace.asset("rain", "a.csv", description="Rain.", tags={"licence": "CC0"})
    catalog = workspace.catalog()
    workspace.azure.remove_data("rain")
    told = json.loads(json.dumps(catalog.describe("rain")))
    assert (told["description"], told["metadata"]) == ("Rain.", {"licence": "CC0"})
    with pytest.raises(CatalogError, match="no data asset 'rain'"):
        catalog["rain"]


def test_a_hub_that_never_could_list_says_why(workspace: Workspace) -> None:
    workspace.azure.grant("AzureML Compute Operator")
    with pytest.raises(CatalogError, match=r"Azure ML workspace lab-workspace: .*right"):
        workspace.catalog()


def test_what_is_sent_to_workers(
    workspace: Workspace, hub: AssetHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.put("a.csv", RAIN)
    workspace.asset("rain", "a.csv")
    workspace.asset("wind", "a.csv")
    catalog = workspace.catalog()
    dataset = catalog["rain"]
    sent = pickle.dumps(catalog)
    assert not [each for each in (*hub.given, "of-ada") if each.encode() in sent]
    shown = [repr(catalog), catalog._repr_html_(), repr(dataset), str(vars(dataset))]
    assert "rain" in shown[0]
    assert not [each for each in hub.given if any(each in text for text in shown)]
    credential = pickle.dumps(HubCredential("ada", "storage"))
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    with nothing_held():
        there = pickle.loads(sent)
        assert sorted(there) == ["rain", "wind"]
        pickle.loads(credential)
        assert mm(there["rain"].read()) == [3, 5]
        with pytest.raises(CatalogError, match="open the dataset in the notebook"):
            there["wind"]


def test_a_platform_without_tokens_for_storage_is_refused(workspace: Workspace) -> None:
    made = workspace.adapter()
    made.contribute()
    made.parent.config.AuthAdapter.audiences = {}
    with pytest.raises(ConfigError, match="no tokens for data"):
        made.contribute()


@pytest.mark.parametrize("url", ["http://a.example.org", "https://me@a.example.org", "a?b=c"])
def test_an_account_is_at_an_address(workspace: Workspace, url: str) -> None:
    workspace.options["account_urls"] = {"science": url}
    with pytest.raises(TraitError, match="is no address of the account science"):
        workspace.adapter()


async def test_the_check_asks_for_the_hubs_rights(workspace: Workspace) -> None:
    made = workspace.adapter()
    assert "the hub may list data assets" in str(list(map(str, await made.check())))
    workspace.azure.grant("AzureML Compute Operator")
    assert any(each.level == "error" for each in await made.check())


def test_a_ticket_holds_no_secret(workspace: Workspace) -> None:
    told = json.dumps(workspace.ticket())
    assert workspace.azure.client_secret not in told
    assert ACCOUNT in told
