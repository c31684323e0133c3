"""A driver of Intake 1 is the same by its name and by its class, however the class is written."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from greyhub.data.catalog import open_catalogs
from tests.data.support import Write

DRIVERS = {
    "csv": ("intake.source.csv.CSVSource", "urlpath: '{{ CATALOG_DIR }}/rain.csv'"),
    "textfiles": (
        "intake.source.textfiles.TextFilesSource",
        "urlpath: '{{ CATALOG_DIR }}/rain.csv'",
    ),
    "jsonfiles": ("intake.source.jsonfiles.JSONFileSource", "urlpath: 'https://example.org/a'"),
    "numpy": ("intake.source.npy.NPySource", "path: 'https://example.org/a.npy'"),
    "netcdf": ("intake_xarray.netcdf.NetCDFSource", "urlpath: 'https://example.org/a.nc'"),
    "zarr": ("intake_xarray.xzarr.ZarrSource", "urlpath: 'https://example.org/a.zarr'"),
    "opendap": ("intake_xarray.opendap.OpenDapSource", "urlpath: 'https://example.org/a'"),
}


def described(write: Write, driver: str, arguments: str) -> dict[str, Any]:
    text = f"sources: {{one: {{driver: {driver}, args: {{{arguments}}}}}}}\n"
    catalog = open_catalogs([("", write(text, "catalog.yaml"))], {})
    assert catalog.broken == {}, driver
    said = dict(catalog.describe("one"))
    return {key: said[key] for key in ("container", "description", "parameters")}


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_is_the_same_by_any_of_its_names(name: str, write: Write, folder: Path) -> None:
    dotted, arguments = DRIVERS[name]
    colon = ":".join(dotted.rsplit(".", 1))
    by_name = described(write, name, arguments)
    for spelling in (dotted, colon, f"'{dotted}'", f"[{dotted}]"):
        assert described(write, spelling, arguments) == by_name, spelling


@pytest.mark.parametrize(
    "driver", ["csv", "intake.source.csv.CSVSource", "intake.source.csv:CSVSource"]
)
def test_what_a_driver_reads_is_the_same_by_any_of_its_names(
    driver: str, write: Write, folder: Path
) -> None:
    _, arguments = DRIVERS["csv"]
    path = write(f"sources: {{one: {{driver: {driver}, args: {{{arguments}}}}}}}\n")
    assert open_catalogs([("", path)], {})["one"].read()["mm"].sum() == 16


@pytest.mark.parametrize("driver", ["csv", "intake.source.csv.CSVSource"])
@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ("urlpath: '{{ CATALOG_DIR }}/rain.csv', csv_kwargs: {usecols: [mm]}", 3),
        ("urlpath: '{{ CATALOG_DIR }}/rain.csv', usecols: [mm]", 3),
        ("urlpath: ['{{ CATALOG_DIR }}/rain.csv'], csv_kwargs: {usecols: [mm]}", 3),
        ("urlpath: ['{{ CATALOG_DIR }}/rain.csv', '{{ CATALOG_DIR }}/later.csv']", 4),
        ("urlpath: '{{ CATALOG_DIR }}/*a*.csv', csv_kwargs: {usecols: [mm]}", 4),
        ("urlpath: '{{ CATALOG_DIR }}/rain.csv', path_as_pattern: false", 3),
    ],
)
def test_tables_have_the_arguments_of_intake_1(
    driver: str, arguments: str, rows: int, write: Write, folder: Path
) -> None:
    (folder / "later.csv").write_text("day,mm\n4,1\n")
    path = write(f"sources: {{one: {{driver: {driver}, args: {{{arguments}}}}}}}\n")
    found = pickle.loads(pickle.dumps(open_catalogs([("", path)], {})["one"]))
    assert found.read()["mm"].sum() == (17 if rows == 4 else 16)
    assert len(found.to_dask().compute()) == rows
    assert "mm" in found.discover()


@pytest.mark.parametrize(
    ("name", "class_"), [("json", "JSONFileSource"), ("jsonl", "JSONLinesFileSource")]
)
def test_what_intake_1_called_json_is_read(
    name: str, class_: str, write: Write, folder: Path
) -> None:
    (folder / "rain.json").write_text('{"mm": 3}\n')
    arguments = "urlpath: '{{ CATALOG_DIR }}/rain.json'"
    for driver in (name, f"intake.source.jsonfiles.{class_}"):
        path = write(f"sources: {{one: {{driver: {driver}, args: {{{arguments}}}}}}}\n")
        read = open_catalogs([("", path)], {})["one"].read()
        assert read == ([{"mm": 3}] if name == "jsonl" else {"mm": 3})


def test_a_class_that_a_package_offers_at_its_top_is_the_same(write: Write) -> None:
    arguments = "urlpath: 'https://example.org/a.zarr'"
    assert described(write, "intake_xarray.ZarrSource", arguments) == described(
        write, "zarr", arguments
    )
