"""The tutorial's notebook, run as a server of a platform would run it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import iris_sample_data
import matplotlib.image
import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
import xarray as xr
from nbclient import NotebookClient

from greyhub.ticket import Ticket, variable
from tests.support.processes import command
from tests.support.waiting import MINUTE

LOCAL = Path(__file__).parents[2] / "config" / "local"
NOTEBOOK = LOCAL / "welcome" / "Warming of North America.ipynb"

pytestmark = pytest.mark.slow  # in every run, a browser runs it

TRIED_AGAIN = re.compile(r"distributed\.comm\.tcp - WARNING - .*: TLS handshake failed with remote")
"""Of a busy machine: Dask gives a connection up after a fifth of its time, and makes another."""


def tickets(home: Path) -> dict[str, str]:
    """What a platform of local adapters puts into a server's environment."""
    catalog = str(LOCAL / "catalog.yaml")
    limits = {"max_workers": 2, "threads_per_worker": 1, "memory_limit": "1 GiB"}
    adapters: dict[str, tuple[str, dict[str, object]]] = {
        "spawner": ("greyhub.spawners.local:LocalSpawnerAdapter", {"user": "ada"}),
        "cluster": (
            "greyhub.clusters.local:LocalCluster",
            {**limits, "idle_timeout": "20 minutes"},
        ),
        "homespace": ("greyhub.homespace.local:LocalHomespace", {"path": str(home)}),
        "data": (
            "greyhub.data.local:LocalData",
            {"catalogs": [["", catalog]], "parameters": {"IRIS": iris_sample_data.path}},
        ),
    }
    return {
        variable(slot): Ticket(slot, adapter, data, slot).dumps()
        for slot, (adapter, data) in adapters.items()
    }


@dataclass
class Run:
    """The notebook after it ran, and what it left."""

    notebook: nbformat.NotebookNode
    home: Path
    workers: list[str]

    def shown(self, cell: str) -> str:
        """What a cell shows as text."""
        (found,) = (each for each in self.notebook.cells if each.id == cell)
        return "\n".join(output.get("data", {}).get("text/plain", "") for output in found.outputs)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, **tickets(home), "HOME": str(home)}
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=4 * MINUTE,
        kernel_name="python3",
        resources={"metadata": {"path": str(home)}},
    )
    with client.setup_kernel(env=environment):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        kernel = psutil.Process(client.km.provisioner.pid)
        children = [" ".join(command(each)) for each in kernel.children(recursive=True)]
    return Run(notebook, home, [each for each in children if "resource_tracker" not in each])


@pytest.fixture(scope="module")
def expected() -> pd.DataFrame:
    """The same numbers, computed by other means."""
    columns = {}
    for name in ("A1B", "E1"):
        path = f"{iris_sample_data.path}/{name}_north_america.nc"
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            temperature = dataset.air_temperature.values.astype(float)
            rows = np.cos(np.radians(dataset.latitude.values.astype(float)))
            years = [moment.year for moment in dataset.time.values]
        yearly = np.average(temperature.mean(axis=2), axis=1, weights=rows)
        columns[name] = pd.Series(yearly - yearly[:30].mean(), index=years)
    return pd.DataFrame(columns)


def test_it_is_a_valid_notebook_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_it_names_no_place_and_no_backend() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code").lower()
    for name in ("/", "local", "kube", "azure", "s3", "http", "getenv", "environ", "intake"):
        assert name not in code, name


def test_it_shows_the_platform_and_its_data(run: Run) -> None:
    assert run.shown("connect").startswith("<greyhub of ada>")
    assert run.shown("catalogue").startswith("<catalog of 13 datasets>")
    assert "north-america-a1b" in run.shown("catalogue")


def test_nothing_is_read_before_the_cluster_computes(run: Run) -> None:
    assert "dask.array" in run.shown("datasets")
    assert "dask.array" in run.shown("warming")


def test_its_numbers(run: Run, expected: pd.DataFrame) -> None:
    table = pd.read_csv(run.home / "Warming of North America.csv", index_col="year")
    assert list(table.columns) == ["A1B", "E1"]
    assert (table.index[0], table.index[-1], len(table)) == (1860, 2099, 240)
    np.testing.assert_allclose(table.to_numpy(), expected.to_numpy(), atol=2e-3)


def test_its_numbers_are_physics(run: Run) -> None:
    table = pd.read_csv(run.home / "Warming of North America.csv", index_col="year")
    start, end = table.loc[1860:1889].mean(), table.loc[2090:2099].mean()
    assert abs(start["A1B"]) < 0.01
    assert abs(start["E1"]) < 0.01
    assert 0 < end["E1"] < end["A1B"]
    assert 2 < end["E1"] < 3
    assert 4 < end["A1B"] < 6
    past = table.loc[:1999]
    np.testing.assert_allclose(past["A1B"], past["E1"], atol=2e-3)  # there was one


def test_its_picture(run: Run) -> None:
    outputs = [
        output
        for cell in run.notebook.cells
        if cell.id == "plot"
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(outputs) == 1
    picture = matplotlib.image.imread(run.home / "Warming of North America.png")
    height, width, _ = picture.shape
    assert width > 1000
    assert height > 600
    for colour in ("c1432e", "2a6f97"):
        wanted = np.array([int(colour[place : place + 2], 16) for place in (0, 2, 4)]) / 255
        drawn = (np.abs(picture[..., :3] - wanted).max(axis=2) < 0.03).sum()
        assert drawn > 500, colour


def test_it_writes_to_the_home_alone(run: Run) -> None:
    seen = {each.name for each in run.home.iterdir() if not each.name.startswith(".")}
    assert seen == {"Warming of North America.png", "Warming of North America.csv"}


def test_it_leaves_no_worker_behind(run: Run) -> None:
    assert run.workers == []


def test_no_cell_complains(run: Run) -> None:
    said = [
        line
        for cell in run.notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
        for line in output.text.splitlines()
        if not TRIED_AGAIN.search(line)
    ]
    assert said == []
