"""The comparison of a workspace's answers with the official types, on the simulator."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from greyhub.conformance.testkit.azureml import Simulator, live
from tests.azureml.conftest import settings_for
from tests.azureml.hubs import settings_of


async def test_all_that_the_hub_asks_is_compared(azure: Simulator) -> None:
    azure.add_datastore("store", datastoreType="AzureBlob", credentials={"credentialsType": "None"})
    azure.add_data("rain", "1", dataType="uri_file", dataUri="azureml://datastores/store/paths/a")
    environment = f"{azure.cloud.id}/environments/dask/versions/1"
    size = "Standard_DS1_v2"
    said = list(await live.compare(settings_for(azure), size=size, environment=environment))
    text = "\n".join(said)
    for word in (
        "rights: ",
        "versions of rain: 1",
        "create: ",
        "> Running in",
        "job: ",
        "Canceled",
    ):
        assert word in text
    assert "delete: " in text
    assert said[-1] == "every answer is as the types say"
    assert "x-ms-ratelimit" in text
    assert azure.instances() == {}
    assert not azure.violations


async def test_what_the_types_do_not_know_is_told(
    azure: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(live.TYPES, "/datastores", "JobList")
    azure.add_datastore("store", datastoreType="AzureBlob", credentials={"credentialsType": "None"})
    said = list(await live.compare(settings_for(azure)))
    assert "not as the types say: GET /datastores: JobList.value[]" in said[-1]


def test_a_config_file_names_the_workspace(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Simulator(isolate=False) as azure:
        lines = [f"c.AzureML.{name} = {value!r}" for name, value in settings_of(azure).items()]
        file = tmp_path / "greyhub_config.py"
        file.write_text("import greyhub\nc = get_config()\n" + "\n".join(lines) + "\n")
        monkeypatch.setattr(sys, "argv", ["live", "-f", str(file)])
        live.main()
    assert "every answer is as the types say" in capsys.readouterr().out
