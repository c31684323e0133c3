"""Parameters of a dataset: declared ones alone, and none leads to another file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from greyhub.data.catalog import Catalog
from tests.data.support import Write, opened

FIRST = """
    metadata:
      parameters:
        station: {type: str, description: Where, default: exeter, allowed: [exeter, a/b]}
    sources:
      rain:
        driver: csv
        args: {urlpath: "{{ CATALOG_DIR }}/{{ station }}_{{ '%04d' % year }}{{ suffix }}.csv"}
        parameters:
          year: {type: int, description: Year, default: 2001, min: 2000, max: 2003}
          suffix: {type: str, description: Any text, default: ""}
      must:
        driver: csv
        args: {urlpath: "{{ CATALOG_DIR }}/exeter_{{ year }}.csv"}
        parameters:
          year: {type: int, description: Year}
"""

SECOND = """
    version: 2
    user_parameters:
      station:
        cls: intake.readers.user_parameters:OptionsUserParameter
        dtype: str
        options: [exeter, a/b]
        default: exeter
      unused: {cls: "intake.readers.user_parameters:BaseUserParameter", default: 1}
    entries:
      rain:
        reader: intake.readers.readers:PandasCSV
        kwargs: {data: "{data(file)}", nrows: "{rows}"}
        user_parameters:
          rows:
            cls: intake.readers.user_parameters:SimpleUserParameter
            dtype: int
            default: 10
      must:
        reader: intake.readers.readers:PandasCSV
        kwargs: {data: "{data(file)}", nrows: "{rows}"}
        user_parameters:
          rows: {cls: "intake.readers.user_parameters:SimpleUserParameter", dtype: int}
    data:
      file:
        datatype: intake.readers.datatypes:CSV
        kwargs: {url: "{CATALOG_DIR}/{station}_{year:04d}{suffix}.csv"}
        user_parameters:
          year:
            cls: intake.readers.user_parameters:BoundedNumberUserParameter
            dtype: int
            min: 2000
            max: 2003
            default: 2001
          suffix:
            cls: intake.readers.user_parameters:SimpleUserParameter
            dtype: str
            default: ""
"""


@pytest.fixture(params=[FIRST, SECOND], ids=["first", "second"])
def catalog(request: pytest.FixtureRequest, write: Write, folder: Path) -> Catalog:
    for station in ("exeter", "a/b"):
        for year in range(2000, 2004):
            path = folder / f"{station}_{year}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"where,year\n{station},{year}\n{station},{year}\n")
    return opened(write(request.param))


def read(catalog: Catalog, **parameters: Any) -> list[Any]:
    return list(catalog.open("rain", **parameters).read().iloc[0])


def test_defaults(catalog: Catalog) -> None:
    assert read(catalog) == ["exeter", 2001]


def test_values(catalog: Catalog) -> None:
    assert read(catalog, year=2003) == ["exeter", 2003]
    assert read(catalog, year="2000") == ["exeter", 2000]
    assert read(catalog, station="a/b") == ["a/b", 2001]  # allowed by name, and so a path at that


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"yaer": 2001}, "rain: there is no parameter 'yaer': "),
        ({"year": 2004}, "rain: year=2004 is more than 2003"),
        ({"year": 1999}, "rain: year=1999 is less than 2000"),
        ({"year": float("nan")}, "rain: year=nan is no int"),
        ({"year": "soon"}, "rain: year='soon' is no int"),
        ({"year": 2001.5}, "rain: year=2001.5 is no int"),
        ({"year": True}, "rain: year=True is no int"),
        ({"year": None}, "rain: year=None is no int"),
        ({"year": [2001]}, r"rain: year=\[2001\] is no int"),
        ({"station": "york"}, "rain: station='york' is not one of: exeter, a/b"),
        ({"station": "Exeter"}, "is not one of"),
        ({"suffix": "/../../secret"}, "could lead to another file"),
        ({"suffix": ".."}, "could lead to another file"),
        ({"suffix": "{CATALOG_DIR}"}, "could lead to another file"),
        ({"suffix": "*"}, "could lead to another file"),
        ({"suffix": "%2e%2e"}, "could lead to another file"),
        ({"suffix": "x::file"}, "could lead to another file"),
        ({"suffix": "x\n"}, "could lead to another file"),
    ],
)
def test_wrong_values(catalog: Catalog, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        catalog.open("rain", **given)


def test_a_value_that_must_be_given(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match=r"must: (year|rows) must be given \(int\)"):
        catalog["must"]
    name = catalog.describe("must")["parameters"][-1]["name"]
    catalog.open("must", **{name: 2001})


def test_they_are_described(catalog: Catalog) -> None:
    described = {each["name"]: each for each in catalog.describe("rain")["parameters"]}
    year = {key: described["year"][key] for key in ("type", "default", "min", "max")}
    assert year == {"type": "int", "default": 2001, "min": 2000, "max": 2003}
    assert described["station"]["allowed"] == ["exeter", "a/b"]
    assert "unused" not in described


def test_readers_at_the_same_time_do_not_mix(catalog: Catalog) -> None:
    years = [2000 + number % 4 for number in range(80)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda year: read(catalog, year=year), years))
    assert found == [["exeter", year] for year in years]


def test_what_the_platform_gives_is_not_the_users(write: Write, folder: Path) -> None:
    text = """
        version: 2
        user_parameters:
          PLACE:
            cls: intake.readers.user_parameters:SimpleUserParameter
            dtype: str
            default: /nowhere
        entries:
          rain: {reader: "intake.readers.readers:PandasCSV", kwargs: {data: "{data(file)}"}}
        data:
          file: {datatype: "intake.readers.datatypes:CSV", kwargs: {url: "{PLACE}/rain.csv"}}
        """
    catalog = opened(write(text), parameters={"PLACE": str(folder)})
    assert len(catalog["rain"].read()) == 3
    assert catalog.describe("rain")["parameters"] == []
    with pytest.raises(ValueError, match="no parameter 'PLACE'"):
        catalog.open("rain", PLACE="elsewhere")


def test_named_options_and_lists(write: Write) -> None:
    text = """
        version: 2
        entries:
          rain:
            reader: intake.readers.readers:PandasCSV
            kwargs: {data: "{data(file)}", usecols: "{columns}", nrows: "{length}"}
            user_parameters:
              length:
                cls: intake.readers.user_parameters:NamedOptionsUserParameter
                options: {short: 1, long: 3}
                default: short
              columns:
                cls: intake.readers.user_parameters:MultiOptionUserParameter
                options: [day, mm]
                dtype: str
                default: [day, mm]
        data:
          file: {datatype: "intake.readers.datatypes:CSV", kwargs: {url: rain.csv}}
        """
    catalog = opened(write(text))
    assert catalog["rain"].read().shape == (1, 2)
    assert catalog.open("rain", length="long", columns=["mm"]).read().shape == (3, 1)
    with pytest.raises(ValueError, match="length='endless' is not one of: short, long"):
        catalog.open("rain", length="endless")
    with pytest.raises(ValueError, match="columns='mm' is not a list"):
        catalog.open("rain", columns="mm")
    with pytest.raises(ValueError, match="columns='knots' is not one of: day, mm"):
        catalog.open("rain", columns=["knots"])


def test_moments(write: Write, folder: Path) -> None:
    (folder / "2001-02.csv").write_text("a\n1\n")
    catalog = opened(
        write("""
        sources:
          rain:
            driver: csv
            args: {urlpath: "{{ CATALOG_DIR }}/{{ when.strftime('%Y-%m') }}.csv"}
            parameters: {when: {type: datetime, description: Month, default: 2001-02-03}}
        """)
    )
    assert len(catalog["rain"].read()) == 1
    with pytest.raises(ValueError, match="when='yesterdayish' is no datetime"):
        catalog.open("rain", when="yesterdayish")
