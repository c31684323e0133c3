"""Datastores of the workspace beside its assets, read by a user's own login."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from greyhub.errors import CatalogError
from tests.data.azureml.test_tables import in_worker
from tests.data.azureml.workspace import AssetHub, Workspace

LAKE = "datastores/lake"
RAIN = "day,mm\n1,3\n2,5\n"
KEY = "c2VjcmV0LWtleQ=="


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    workspace.options["datastores"] = ["*"]
    return workspace


def test_a_datastore_gives_all_its_files(workspace: Workspace) -> None:
    workspace.put("rain/a.csv", RAIN)
    workspace.add_store("lake", description="What we\nmeasured.", tags={"licence": "CC0"})
    catalog = workspace.catalog()
    assert list(catalog) == [LAKE]
    files = catalog[LAKE].read()
    assert files.ls("", detail=False) == ["rain"]
    assert files.find("") == ["rain/a.csv"]
    with files.open("rain/a.csv") as file:
        assert file.read() == RAIN.encode()
    assert files.get_mapper("rain")["a.csv"] == RAIN.encode()
    told = json.loads(json.dumps(catalog.describe(LAKE)))
    assert told["description"] == "What we measured."
    assert told["container"] == "fsspec.implementations.dirfs:DirFileSystem"
    assert [each["name"] for each in told["parameters"]] == ["path"]
    assert told["metadata"] == {
        "licence": "CC0",
        "azureml": {
            "datastore": "lake",
            "type": "AzureBlob",
            "account": "devstoreaccount1",
            "container": "homes",
            "credentials": "None",
        },
    }
    assert "AzureBlob" in catalog._repr_html_()


def test_a_path_in_it_is_read_as_an_asset_is(workspace: Workspace) -> None:
    workspace.put("azureml/job_1/rain/a.csv", RAIN)
    workspace.put("azureml/job_1/rain/b.csv", RAIN)
    catalog = workspace.catalog()
    for path, mm in (("a.csv", [3, 5]), ("", [3, 5, 3, 5]), ("/", [3, 5, 3, 5])):
        dataset = catalog.open(LAKE, path=f"azureml/job_1/rain/{path}".rstrip("/") or path)
        assert list(dataset.read()["mm"]) == mm
        assert list(dataset.to_dask().compute(scheduler="synchronous")["mm"]) == mm
        known = dataset.metadata["azureml"]
        assert (known["datastore"], known["job"]) == ("lake", "job_1")
        assert known["url"] == f"{workspace.account.url}/homes/{known['path']}"
    with pytest.raises(CatalogError, match=r"'datastores/lake' is not there: .*/nowhere\.csv"):
        catalog.open(LAKE, path="nowhere.csv")
    workspace.put("azureml/job_1/c.txt", "")
    with pytest.raises(CatalogError, match=r"several kinds: \.csv, \.txt"):
        catalog.open(LAKE, path="azureml/job_1")


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/a", "a/./b", "..", "a::https://evil.example.org", 3, None]
)
def test_a_path_leads_nowhere_else(workspace: Workspace, hub: AssetHub, path: Any) -> None:
    catalog = workspace.catalog()
    with pytest.raises(ValueError, match="path="):
        catalog.open(LAKE, path=path)
    assert hub.given == []


def test_names_of_assets_and_datastores_never_meet(workspace: Workspace) -> None:
    workspace.put("a.csv", RAIN)
    workspace.asset("lake", "a.csv")
    catalog = workspace.catalog()
    assert list(catalog) == ["lake", LAKE]
    assert list(catalog["lake"].read()["mm"]) == [3, 5]
    assert catalog[LAKE].read().ls("", detail=False) == ["a.csv"]
    with pytest.raises(KeyError, match="there is no"):
        catalog[f"{LAKE}@1"]


def test_a_dataset_of_a_catalogue_stays_what_it_is(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("ours\n")
    catalog_file = tmp_path / "own.yaml"
    args = "{urlpath: '{{ CATALOG_DIR }}/words.txt'}"
    catalog_file.write_text(f"sources:\n  {LAKE}: {{driver: textfiles, args: {args}}}\n")
    workspace.options["catalogs"] = [str(catalog_file)]
    catalog = workspace.catalog()
    assert catalog[LAKE].read() == "ours\n"
    assert "is also the name of a dataset" in str(catalog.broken[LAKE])


def test_only_what_the_administrator_names_is_seen(workspace: Workspace) -> None:
    workspace.options["datastores"] = ["pub*"]
    workspace.add_store("public")
    catalog = workspace.catalog()
    assert list(catalog) == ["datastores/public"]
    workspace.options["datastores"] = []
    before = len(workspace.azure.requests)
    assert list(workspace.catalog()) == []
    asked = [each.path for each in workspace.azure.requests[before:]]
    assert not [path for path in asked if "/datastores" in path]


def test_one_list_serves_all(workspace: Workspace) -> None:
    workspace.options["refresh"] = 60.0
    first = workspace.catalog()
    others = [workspace.connected() for _ in range(3)]
    for each in (first, *others):
        each[LAKE]
        each.describe(LAKE)
    asked = [each.path for each in workspace.azure.requests if "/datastores" in each.path]
    assert len(asked) == 1


def test_a_datastores_own_secret_is_given_to_nobody(
    workspace: Workspace, hub: AssetHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = {"credentialsType": "AccountKey", "secrets": {"secretsType": "AccountKey", "key": KEY}}
    workspace.add_store("lake", credentials=keyed)
    answer = list_of(workspace)
    answer[0]["properties"]["credentials"] = keyed  # as if Azure told it

    async def datastores(azure: Any) -> Any:
        return answer

    monkeypatch.setattr("greyhub.azureml.workspace.Workspace.datastores", datastores)
    workspace.put("a.csv", RAIN)
    workspace.asset("rain", "a.csv")
    catalog = workspace.catalog()
    dataset = catalog[LAKE]
    versions = catalog._listing.versions({"name": "rain"})
    shown = [json.dumps(catalog.describe(LAKE)), repr(catalog), repr(vars(dataset)), repr(versions)]
    shown.append(repr(pickle.dumps((catalog, dataset))))
    assert not [text for text in shown if KEY in text]
    assert json.loads(shown[0])["metadata"]["azureml"]["credentials"] == "AccountKey"
    assert not [each for each in workspace.azure.requests if "listSecrets" in each.path]


def list_of(workspace: Workspace) -> list[Any]:
    documents = workspace.azure.cloud.documents.every("datastores")
    found: list[Any] = json.loads(json.dumps(documents))
    return found


def test_who_has_no_right_of_their_own_is_told_so(workspace: Workspace, hub: AssetHub) -> None:
    workspace.put("a.csv", RAIN)
    secrets = {"secretsType": "Sas", "sasToken": KEY}
    workspace.add_store("lake", credentials={"credentialsType": "Sas", "secrets": secrets})
    hub.audience = "https://management.azure.com"
    catalog = workspace.catalog()
    for given in ({}, {"path": "a.csv"}):
        with pytest.raises(CatalogError, match=r"gives your login no right to .*/homes") as told:
            catalog.open(LAKE, **given)
        assert "jobs read the datastore lake by a shared access signature" in str(told.value)
        assert "Storage Blob Data Reader" in str(told.value)


NONE = {"credentialsType": "None"}
OTHER: dict[str, tuple[dict[str, Any], str]] = {
    "share": (
        {"datastoreType": "AzureFile", "accountName": "science", "fileShareName": "x"},
        "of the kind AzureFile, which is not read by a login",
    ),
    "old": (
        {"datastoreType": "AzureDataLakeGen1", "storeName": "x"},
        "of the kind AzureDataLakeGen1, which is not read by a login",
    ),
    "evil": (
        {
            "datastoreType": "AzureBlob",
            "accountName": "science",
            "containerName": "homes",
            "endpoint": "evil.example.org",
        },
        "no storage account of this cloud",
    ),
}


def test_what_no_login_opens_is_said(workspace: Workspace, hub: AssetHub) -> None:
    for name, (about, _) in OTHER.items():
        workspace.azure.add_datastore(name, credentials=NONE, **about)
    catalog = workspace.catalog()
    assert list(catalog) == [LAKE]
    for name, (_, told) in OTHER.items():
        assert told in str(catalog.broken[f"datastores/{name}"])
        with pytest.raises(CatalogError, match=told):
            catalog[f"datastores/{name}"]
    assert hub.given == []


def test_a_lake_of_the_second_generation_is_read_as_blobs(workspace: Workspace) -> None:
    workspace.put("a.csv", RAIN)
    workspace.azure.add_datastore(
        "gen2",
        datastoreType="AzureDataLakeGen2",
        accountName="devstoreaccount1",
        filesystem="homes",
        credentials=NONE,
    )
    catalog = workspace.catalog()
    assert catalog["datastores/gen2"].read().ls("", detail=False) == ["a.csv"]


def test_a_datastore_goes_to_workers(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.put("rain/a.csv", RAIN)
    catalog = workspace.catalog()
    lazy = catalog.open(LAKE, path="rain/a.csv").to_dask()
    files, table = in_worker(catalog[LAKE], lazy, tmp_path, monkeypatch)
    assert list(table["mm"]) == [3, 5]
    assert files.cat("rain/a.csv") == RAIN.encode()
