"""Datasets of both formats: listed truly, described, and opened as Intake's own objects."""

from __future__ import annotations

import json
from pathlib import Path

import intake
import pytest
from intake.readers.readers import PandasCSV
from intake.source.csv import CSVSource

from greyhub.errors import CatalogError
from tests.data.support import BOTH, FIRST, SECOND, Write, opened


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_a_dataset_is_listed_and_opens(write: Write, text: str) -> None:
    catalog = opened(write(text))
    assert list(catalog) == ["rain"]
    assert len(catalog) == 1
    assert "rain" in catalog
    assert catalog["rain"].read()["mm"].tolist() == [3, 5, 8]


def test_datasets_are_intakes_own(write: Write) -> None:
    assert type(opened(write(FIRST))["rain"]) is CSVSource
    assert type(opened(write(SECOND))["rain"]) is PandasCSV


def test_a_source_knows_its_name_and_description(write: Write) -> None:
    source = opened(write(FIRST))["rain"]
    assert (source.name, source.description) == ("rain", "Rain at Exeter.")


def test_what_intake_writes_is_listed(write: Write, folder: Path) -> None:
    # Intake lists none of these itself: it iterates over aliases alone.
    written = intake.Catalog()
    for name in ("rain", "wind"):
        data = intake.datatypes.CSV(url=str(folder / f"{name}.csv"))
        written[name] = intake.readers.readers.PandasCSV(data)  # not whichever is known by now
    written.aliases["breeze"] = "wind"
    path = str(folder / "written.yaml")
    written.to_yaml_file(path)
    catalog = opened(path)
    assert sorted(catalog) == ["breeze", "rain"]
    assert catalog["rain"].read()["mm"].sum() == 16
    assert catalog["breeze"].read()["knots"].sum() == 12


def test_data_that_no_entry_reads_is_a_dataset(write: Write) -> None:
    catalog = opened(
        write("""
        version: 2
        data:
          rain:
            datatype: intake.readers.datatypes:CSV
            kwargs: {url: rain.csv}
        """)
    )
    assert list(catalog) == ["rain"]
    assert len(catalog["rain"].read()) == 3


def test_a_relative_place_is_beside_the_catalogue(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    text = FIRST.replace("{{ CATALOG_DIR }}/", "")
    assert len(opened(write(text))["rain"].read()) == 3


@pytest.mark.parametrize("place", ["{{ CATALOG_DIR }}rain.csv", "{CATALOG_DIR}/rain.csv"])
@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_catalog_dir_works_in_both_formats_with_and_without_slash(
    write: Write, text: str, place: str
) -> None:
    for written in ("{{ CATALOG_DIR }}/rain.csv", "{CATALOG_DIR}/rain.csv"):
        text = text.replace(written, place)
    source = opened(write(text))["rain"]
    assert len(source.read()) == 3
    assert "//" not in source.data.url


@pytest.mark.parametrize("braces", ["{ARCHIVE}", "{{ ARCHIVE }}", "{{ARCHIVE}}"])
@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_the_platforms_parameters(write: Write, folder: Path, text: str, braces: str) -> None:
    text = text.replace("{{ CATALOG_DIR }}", braces).replace("{CATALOG_DIR}", braces)
    path = write(text, "elsewhere/catalog.yaml")
    assert len(opened(path, parameters={"ARCHIVE": str(folder)})["rain"].read()) == 3


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_a_parameter_that_the_platform_does_not_give(write: Write, text: str) -> None:
    text = text.replace("{{ CATALOG_DIR }}", "{{ ARCHIVE }}").replace("{CATALOG_DIR}", "{ARCHIVE}")
    catalog = opened(write(text))
    assert list(catalog) == []
    with pytest.raises(CatalogError) as caught:
        catalog["rain"]
    assert "'rain' needs {ARCHIVE} in url" in str(caught.value)
    assert "which this platform does not give" in str(caught.value)
    assert "c.LocalData.parameters = {'ARCHIVE': '/where/it/is'}" in str(caught.value)


def test_patterns_of_a_path_stay_as_they_are(write: Write, folder: Path) -> None:
    text = SECOND.replace("PandasCSV", "DaskCSVPattern").replace(
        "{CATALOG_DIR}/rain.csv", "{CATALOG_DIR}/{station}_{year:4d}.csv"
    )
    url = opened(write(text))["rain"].data.url
    assert url == f"{folder}/{{station}}_{{year:4d}}.csv"


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_a_description_is_json(write: Write, text: str) -> None:
    path = write(text)
    said = json.loads(json.dumps(opened(path).describe("rain")))
    assert said["name"] == "rain"
    assert said["description"] == "Rain at Exeter."
    assert said["driver"] in ("csv", "intake.readers.readers:PandasCSV")
    assert said["container"] in ("dataframe", "pandas:DataFrame")
    assert said["parameters"] == []
    assert said["catalog"].startswith(f"{path}:")
    assert opened(path).describe("rain") == said


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_listing_and_describing_touch_no_data(write: Write, folder: Path, text: str) -> None:
    path = write(text)
    (folder / "rain.csv").unlink()
    catalog = opened(path)
    assert list(catalog) == ["rain"]
    catalog.describe("rain")
    repr(catalog)


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_data_that_is_not_there(write: Write, folder: Path, text: str) -> None:
    path = write(text)
    (folder / "rain.csv").unlink()
    with pytest.raises(CatalogError) as caught:
        opened(path)["rain"]
    assert f"'rain' is not here: there is no {folder}/rain.csv" in str(caught.value)
    assert str(caught.value).startswith(f"{path}:2:" if "sources" in text else f"{path}:3:")


def test_a_driver_that_is_not_installed(write: Write) -> None:
    catalog = opened(write(FIRST.replace("driver: csv", "driver: grib")))
    assert list(catalog) == []
    with pytest.raises(CatalogError, match="'rain' needs the driver 'grib'") as caught:
        catalog["rain"]
    assert "pip install" in str(caught.value)


def test_a_package_that_is_not_installed(write: Write) -> None:
    text = SECOND.replace("PandasCSV", "DeltaReader").replace(":CSV", ":DeltalakeTable")
    catalog = opened(write(text))
    with pytest.raises(CatalogError, match="'rain' needs deltalake, which is not") as caught:
        catalog["rain"]
    assert "pip install deltalake" in str(caught.value)


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
def test_a_package_that_the_metadata_names(write: Write, text: str) -> None:
    if "sources" in text:
        text = text.rstrip() + "\n        metadata: {imports: [no_such_package]}\n"
    else:
        text = text.replace("metadata: {", "metadata: {imports: [no_such_package], ")
    catalog = opened(write(text))
    with pytest.raises(CatalogError, match="needs no_such_package"):
        catalog["rain"]


def test_a_reader_that_intake_does_not_have(write: Write) -> None:
    text = SECOND.replace("datatypes:CSV", "datatypes:Papyrus")
    with pytest.raises(CatalogError, match=r"datatypes:Papyrus', which Intake does not"):
        opened(write(text))["rain"]


BAD_ENTRIES = {
    "no mapping": ("[1, 2]", "'bad' is no mapping"),
    "nothing": ("", "'bad' is no mapping"),
    "no driver": ("{args: {}}", "'bad' has no driver"),
    "a driver that is no text": ("{driver: 7}", "'bad' has no driver"),
    "arguments as a list": ("{driver: csv, args: [x]}", "'bad' has args that are no mapping"),
    "a parameter of no type": (
        "{driver: csv, parameters: {year: {type: exec, default: '1'}}}",
        "a parameter that is written wrongly: type 'exec' is none of",
    ),
    "allowed values that are lists": (
        "{driver: csv, parameters: {year: {type: list, allowed: [[1]]}}}",
        "a parameter that is written wrongly",
    ),
    "bounds of a parameter that are none": (
        "{driver: csv, parameters: {year: {type: int, allowed: 7}}}",
        "a parameter that is written wrongly",
    ),
    "parameters as a list": ("{driver: csv, parameters: [x]}", "parameters that are no mapping"),
    "an argument of no driver": ("{driver: csv, args: {colour: red}}", "missing 1 required"),
    "an unknown name in braces": (
        "{driver: csv, args: {urlpath: '{{ yera }}.csv'}}",
        "cannot be filled in: 'yera' is undefined",
    ),
}


@pytest.mark.parametrize(("bad", "words"), BAD_ENTRIES.values(), ids=BAD_ENTRIES.keys())
def test_a_bad_entry_hides_no_other(write: Write, bad: str, words: str) -> None:
    path = write(FIRST.rstrip() + f"\n      bad: {bad}\n")
    catalog = opened(path)
    assert len(catalog["rain"].read()) == 3
    with pytest.raises(CatalogError, match=words) as caught:
        catalog["bad"]
    assert str(caught.value).startswith(f"{path}:6: 'bad'")


def test_a_name_that_is_no_text(write: Write) -> None:
    catalog = opened(write(FIRST.rstrip() + "\n      2010: {driver: csv}\n"))
    assert list(catalog) == ["rain"]
    assert "put it in quotes: '2010'" in str(catalog.broken["2010"])


SECOND_BAD = {
    "a missing reference": (
        "{reader: 'intake.readers.readers:PandasCSV', kwargs: {data: '{data(gone)}'}}",
        "'bad' refers to 'gone', which this catalogue does not have",
    ),
    "itself": (
        "{reader: 'intake.readers.readers:PandasCSV', kwargs: {data: '{data(bad)}'}}",
        "'bad' refers to itself by way of 'bad'",
    ),
    "no reader": ("{kwargs: {}}", "'bad' has no reader"),
    "no mapping": ("7", "'bad' is no mapping"),
}


@pytest.mark.parametrize(("bad", "words"), SECOND_BAD.values(), ids=SECOND_BAD.keys())
def test_a_bad_entry_of_format_2(write: Write, bad: str, words: str) -> None:
    catalog = opened(write(SECOND.replace("  entries:", f"  entries:\n      bad: {bad}")))
    assert len(catalog["rain"].read()) == 3
    with pytest.raises(CatalogError, match=words):
        catalog["bad"]


def test_netcdf_of_the_first_format_is_lazy_with_to_dask(write: Write, folder: Path) -> None:
    import xarray

    xarray.Dataset({"t": ("time", range(10))}).to_netcdf(folder / "t.nc", engine="h5netcdf")
    catalog = opened(
        write("""
        sources:
          warmth:
            driver: netcdf
            args:
              urlpath: "{{ CATALOG_DIR }}/t.nc"
              chunks: {time: 5}
              xarray_kwargs: {engine: h5netcdf}
        """)
    )
    lazy = catalog["warmth"].to_dask()
    assert lazy.t.chunks == ((5, 5),)
    assert lazy.t.sum().compute() == catalog["warmth"].read().t.sum() == 45
