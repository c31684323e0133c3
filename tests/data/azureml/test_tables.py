"""Tables and arrays of data assets, by pandas, xarray and Dask, here and on a worker."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xarray as xr
from distributed import Client, LocalCluster

from tests.data.azureml.workspace import Workspace

ROWS = pd.DataFrame({"day": ["mon", "tue", "wed"], "mm": [3, 5, 8]})
MORE = pd.DataFrame({"day": ["thu", "fri"], "mm": [13, 21]})
ALL = [3, 5, 8, 13, 21]

IN_WORKER = """
import pickle, sys
reader, lazy = pickle.load(sys.stdin.buffer)
pickle.dump((reader.read(), lazy.compute(scheduler="synchronous")), sys.stdout.buffer)
"""


def written(table: pd.DataFrame, end: str) -> bytes:
    """A table as a file of one kind."""
    if end == "csv":
        return table.to_csv(index=False).encode()
    if end == "jsonl":
        return table.to_json(orient="records", lines=True).encode()
    buffer = io.BytesIO()
    write = {"parquet": table.to_parquet, "feather": table.to_feather, "orc": table.to_orc}
    write[end](buffer)
    return buffer.getvalue()


def in_worker(reader: Any, lazy: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a process reads to which they were sent, and which has not the notebook's tokens."""
    sent = pickle.dumps((reader, lazy))
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    command = [sys.executable, "-c", IN_WORKER]
    done = subprocess.run(command, input=sent, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(done.stdout)


def computed(lazy: Any) -> pd.DataFrame:
    found: pd.DataFrame = lazy.compute(scheduler="synchronous")
    return found


@pytest.mark.parametrize("end", ["csv", "jsonl", "parquet", "feather", "orc"])
def test_a_table_in_a_file_and_in_a_folder_of_files(workspace: Workspace, end: str) -> None:
    workspace.put(f"rain/1.{end}", written(ROWS, end))
    workspace.put(f"rain/2.{end}", written(MORE, end))
    workspace.put("rain/_SUCCESS", "")
    workspace.asset("file", f"rain/1.{end}")
    workspace.asset("folder", "rain/", kind="uri_folder")
    catalog = workspace.catalog()
    assert catalog.describe("file")["container"] == "pandas:DataFrame"
    for name, mm, parts in (("file", ALL[:3], 1), ("folder", ALL, 2)):
        dataset = catalog[name]
        table, lazy = dataset.read(), dataset.to_dask()
        assert (list(table.columns), list(table["mm"])) == (["day", "mm"], mm)
        assert lazy.npartitions == parts
        assert dict(lazy.dtypes) == dict(computed(lazy).dtypes)
        assert (list(lazy.columns), list(computed(lazy)["mm"])) == (["day", "mm"], mm)


def test_a_folder_of_parquet_has_columns_by_the_names_of_its_folders(workspace: Workspace) -> None:
    workspace.put("rain.parquet/year=2020/1.parquet", written(ROWS, "parquet"))
    workspace.put("rain.parquet/year=2021/1.parquet", written(MORE, "parquet"))
    workspace.asset("rain", "rain.parquet", kind="uri_folder")
    dataset = workspace.catalog()["rain"]
    for found in (dataset.read(), computed(dataset.to_dask())):
        assert list(found[found["year"].astype(int) == 2021]["mm"]) == [13, 21]


def test_a_line_break_in_quotes_is_none_by_dask(workspace: Workspace) -> None:
    workspace.put("said/1.csv", "who,what\n" + 'ada,"one\ntwo"\n' * 50)
    workspace.asset("said", "said/1.csv")
    lazy = workspace.catalog()["said"].to_dask()
    assert list(computed(lazy)["what"]) == ["one\ntwo"] * 50


def test_an_array_in_a_folder_of_zarr(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = xr.Dataset({"sst": (("t", "x"), [[1.0, 2.0], [3.0, 4.0]])}).chunk({"t": 1})
    made.to_zarr(tmp_path / "sst.zarr", zarr_format=2)
    for file in (tmp_path / "sst.zarr").rglob("*"):
        if file.is_file():
            workspace.put(f"sea/{file.relative_to(tmp_path)}", file.read_bytes())
    workspace.asset("named", "sea/sst.zarr", kind="uri_folder")
    workspace.asset("unnamed", "sea/", kind="uri_folder")
    catalog = workspace.catalog()
    for name in ("named", "unnamed"):
        found = catalog[name].read()
        assert found["sst"].chunksizes["t"] == (1, 1)
        assert found["sst"].values.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    reader, lazy = catalog["named"], found["sst"].sum()
    there, total = in_worker(reader, lazy, tmp_path, monkeypatch)
    assert (float(there["sst"].sum()), float(total)) == (10.0, 10.0)


@pytest.mark.processes
def test_what_is_opened_is_read_on_a_dask_worker(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, table in enumerate((ROWS, MORE)):
        workspace.put(f"rain/{number}.parquet", written(table, "parquet"))
    workspace.asset("rain", "rain/", kind="uri_folder")
    dataset = workspace.catalog()["rain"]
    lazy = dataset.to_dask()
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        table = client.submit(lambda sent: sent.read(), dataset).result(timeout=60)
        computed = client.compute(lazy).result(timeout=60)
    assert [list(each["mm"]) for each in (table, computed)] == [ALL, ALL]
