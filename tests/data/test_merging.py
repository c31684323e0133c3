"""Several catalogues as one: lists, mappings, and catalogues that name catalogues."""

from __future__ import annotations

import fsspec
import pytest

from greyhub.data import loading
from greyhub.data.catalog import open_catalogs
from greyhub.errors import CatalogError
from tests.data.support import FIRST, SECOND, Write, opened

WIND = """
    sources:
      wind:
        driver: csv
        args: {urlpath: wind.csv}
"""


def nested(**paths: str) -> str:
    """A catalogue of format 1 that names others."""
    entries = "".join(
        f"      {name}: {{driver: yaml_file_cat, args: {{path: '{path}'}}}}\n"
        for name, path in paths.items()
    )
    return "    sources:\n" + entries


def test_in_a_list_entries_keep_their_names(write: Write) -> None:
    catalog = opened(write(SECOND, "a.yaml"), write(WIND, "b.yaml"))
    assert list(catalog) == ["rain", "wind"]
    assert catalog["wind"].read()["knots"].tolist() == [12]


def test_in_a_mapping_entries_are_named_after_their_catalogue(write: Write) -> None:
    sources = [("sky", write(FIRST, "a.yaml")), ("sea", write(SECOND, "b.yaml"))]
    catalog = open_catalogs(sources, {})
    assert list(catalog) == ["sky.rain", "sea.rain"]
    assert len(catalog["sea.rain"].read()) == 3
    assert catalog.describe("sea.rain")["name"] == "sea.rain"
    with pytest.raises(KeyError, match=r"'sea' is a catalogue: its datasets are sea\.rain"):
        catalog["sea"]


def test_one_name_in_two_catalogues(write: Write) -> None:
    one, other = write(FIRST, "a.yaml"), write(SECOND, "b.yaml")
    with pytest.raises(CatalogError) as caught:
        opened(one, other)
    assert "there are two datasets 'rain'" in str(caught.value)
    assert f"{one}:2" in str(caught.value)
    assert f"{other}:3" in str(caught.value)
    assert "c.LocalData.catalogs = {" in str(caught.value)


def test_a_name_with_a_dot_may_clash_with_a_prefix(write: Write) -> None:
    dotted = write(FIRST.replace("rain:", "sea.rain:"), "a.yaml")
    with pytest.raises(CatalogError, match=r"two datasets 'sea\.rain'"):
        open_catalogs([("", dotted), ("sea", write(SECOND, "b.yaml"))], {})


def test_a_broken_entry_takes_its_name_too(write: Write) -> None:
    broken = write("sources:\n  rain: 7\n", "a.yaml")
    with pytest.raises(CatalogError, match="two datasets 'rain'"):
        opened(broken, write(SECOND, "b.yaml"))


@pytest.mark.parametrize(
    "driver",
    [
        "yaml_file_cat",
        "intake.catalog.local.YAMLFileCatalog",
        "intake.catalog.local:YAMLFileCatalog",
        "[intake.catalog.local.YAMLFileCatalog]",
    ],
)
def test_a_catalogue_is_one_by_any_name_of_its_driver(write: Write, driver: str) -> None:
    """The class is what ``yaml()`` of Intake 1 writes, and what many published catalogues say."""
    write(SECOND, "deep/rain.yaml")
    catalog = opened(
        write(nested(sky="{{ CATALOG_DIR }}/deep/rain.yaml").replace("yaml_file_cat", driver))
    )
    assert list(catalog) == ["sky.rain"]
    assert catalog.broken == {}


def test_nested_catalogues_of_both_formats(write: Write) -> None:
    write(SECOND, "deep/rain.yaml")
    write((FIRST.replace("{{ CATALOG_DIR }}", "{{ CATALOG_DIR }}/..")), "deep/v1.yaml")
    write(
        """
        version: 2
        entries:
          rain:
            reader: intake.readers.readers:YAMLCatalogReader
            kwargs: {data: "{data(file)}"}
        data:
          file:
            datatype: intake.readers.datatypes:CatalogFile
            kwargs: {url: rain.yaml}
        """,
        "deep/middle.yaml",
    )
    top = write(nested(sky="deep/middle.yaml", old="{{ CATALOG_DIR }}/deep/v1.yaml"))
    catalog = opened(top)
    assert sorted(catalog) == ["old.rain", "sky.rain.rain"]
    assert len(catalog["old.rain"].read()) == 3


def test_cycles_end(write: Write) -> None:
    write(nested(back="top.yaml", itself="middle.yaml") + FIRST.split("\n", 2)[2], "middle.yaml")
    catalog = opened(write(nested(middle="middle.yaml", me="top.yaml"), "top.yaml"))
    assert list(catalog) == ["middle.rain"]


def test_a_catalogue_that_two_name_is_read_once(write: Write) -> None:
    write(FIRST, "shared.yaml")
    write(nested(one="shared.yaml"), "a.yaml")
    write(nested(two="shared.yaml"), "b.yaml")
    catalog = opened(write(nested(a="a.yaml", b="b.yaml"), "top.yaml"))
    assert list(catalog) == ["a.one.rain"]


def test_a_catalogue_of_the_list_keeps_its_short_names(write: Write) -> None:
    shared = write(FIRST, "shared.yaml")
    assert list(opened(write(nested(deep="shared.yaml"), "a.yaml"), shared)) == ["rain"]


def test_a_nested_catalogue_that_is_wrong_hides_no_other(write: Write) -> None:
    write("sources: [\n", "bad.yaml")
    catalog = opened(
        write(nested(bad="bad.yaml", gone="gone.yaml") + FIRST.split("\n", 2)[2], "top.yaml")
    )
    assert list(catalog) == ["rain"]
    with pytest.raises(CatalogError, match=r"bad\.yaml:2: is not YAML"):
        catalog["bad"]
    with pytest.raises(CatalogError, match=r"gone\.yaml: there is no such catalogue"):
        catalog["gone"]
    assert set(catalog.broken) == {"bad", "gone"}


def test_a_nested_catalogue_without_a_path(write: Write) -> None:
    catalog = opened(write("sources:\n  sky: {driver: yaml_file_cat}\n"))
    assert "'sky' is a catalogue without a path" in str(catalog.broken["sky"])


def test_catalogues_without_end() -> None:
    files = fsspec.filesystem("memory")
    for number in range(loading.DEEPEST + 3):
        text = f"sources: {{next: {{driver: yaml_file_cat, args: {{path: '{number + 1}'}}}}}}"
        files.pipe(f"/endless/{number}", text.encode())
    catalog = open_catalogs([("", "memory://endless/0")], {})
    assert len(catalog) == 0
    (fault,) = catalog.broken.values()
    assert f"more than {loading.DEEPEST} catalogues deep" in str(fault)
