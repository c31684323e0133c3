"""What the how-to says of the data of a workspace is done in a notebook."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import xarray as xr

import greyhub
from tests.data.azureml.workspace import Workspace
from tests.docs.blocks import blocks

PAGE = "docs/how-to/azureml-data.md"
START = "## Open an asset"
"""The heading from which on it is a notebook's; `tests.docs.test_pages` runs the rest."""


def test_the_notebook_of_the_page(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for year in (2020, 2021):
        workspace.put(f"rain/{year}.csv", f"day,mm\n{year}-01-01,3\n{year}-01-02,5\n")
    workspace.asset("rain", "rain/", kind="uri_folder")
    made = xr.Dataset({"sst": (("t", "x"), [[1.0, 2.0], [3.0, 4.0]])}).chunk({"t": 1})
    made.to_zarr(tmp_path / "sst.zarr", zarr_format=2)
    for file in (tmp_path / "sst.zarr").rglob("*"):
        if file.is_file():
            workspace.put(str(file.relative_to(tmp_path)), file.read_bytes())
    workspace.asset("sst", "sst.zarr", kind="uri_folder")
    workspace.azure.add_datastore(
        "workspacefilestore",
        datastoreType="AzureFile",
        accountName="science",
        fileShareName="code",
        credentials={"credentialsType": "None"},
    )
    workspace.options["datastores"] = ["*"]
    session = SimpleNamespace(data=workspace.catalog())
    monkeypatch.setattr(greyhub, "connect", lambda: session)
    told: list[str] = []
    notebook: dict[str, Any] = {"print": lambda said: told.append(str(said))}
    before = (Path(__file__).parents[3] / PAGE).read_text().partition(START)[0]
    cells = [each for each in blocks(PAGE) if each.line > len(before.splitlines())]
    for cell in cells:
        exec(compile(cell.text, cell.where, "exec"), notebook)
    assert f"list(hub.data)  # {list(session.data)}" in cells[0].text
    assert isinstance(notebook["table"], pd.DataFrame)
    assert (notebook["mean"], float(notebook["warmest"])) == (4.0, 4.0)
    listed = notebook["files"].ls("rain", detail=False)
    assert any(f"# {listed}" in each.text for each in cells)
    assert notebook["header"] == b"day,mm\n"
    assert "AzureFile" in told[0]
