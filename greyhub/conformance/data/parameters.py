"""DATA-005: parameters take declared values only, and never become paths."""

from __future__ import annotations

from typing import Any

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.data.case import DataCase
from greyhub.conformance.data.datasets import Dataset, Parameter, table

FILES = {
    f"data/{station}-{year}.csv": f"station,year\n{station},{year}\n".encode()
    for station in ("north", "south")
    for year in (2020, 2021)
}

ELSEWHERE = (
    "../private/secret", "x/../../private/secret", "/etc/passwd", "..%2fprivate%2fsecret",
    "..\\private\\secret", "file:///etc/passwd", "http://127.0.0.1:9/x", "*", "s?cret", "[s]ecret",
    "", "..", "../", "~", "a\0b", "known\n", "known#x", "{year}", "{{ year }}",
    "{env(JUPYTERHUB_API_TOKEN)}",
)  # fmt: skip


@clause("DATA-005", MUST, needs="parameters", hooks="publish touched", guards="data")
def only_declared_values(case: DataCase) -> None:
    """A dataset is opened with declared values alone; all else is a ValueError.

    Missing, unknown, of another type, not among those allowed, out of bounds. A
    value that may be any text never becomes a path: what is not the catalogue's
    is not reached by it.

    Seen: intake#856 https://github.com/intake/intake/issues/856
    """
    chosen = Dataset(
        "data/{station}-{year}.csv",
        FILES,
        parameters=(
            Parameter("station", "str", allowed=("north", "south"), default="north"),
            Parameter("year", minimum=2020, maximum=2021, default=2020),
        ),
    )
    files = {"data/free/known.csv": b"n\n1\n", "data/private/secret.csv": b"secret\n1\n"}
    free = Dataset("data/free/{name}.csv", files, parameters=(Parameter("name", "str"),))
    case.publish(chosen=chosen, free=free, fixed=table("fixed", {"n": [1]}))
    catalog = case.catalog()
    south = {"station": ["south"], "year": [2021]}
    case.same(catalog.read("chosen", station="south", year=2021), south, "south, 2021")
    north = {"station": ["north"], "year": [2020]}
    case.same(catalog.read("chosen"), north, "the defaults")
    case.same(catalog.read("chosen", station="north", year=2020), north, "north, 2020")
    case.raises(ValueError, catalog.open, "fixed", what="one without parameters", year=2020)
    wrongs: tuple[dict[str, Any], ...] = (
        {"unknown": 1},
        {"year": 2021, "urlpath": "/etc/passwd"},
        {"url": "/etc/passwd"},
        {"station": "west"},
        {"station": "North"},
        {"station": "nor"},
        {"station": ["north"]},
        {"year": 2019},
        {"year": 2022},
        {"year": float("nan")},
        {"year": 2020.5},
        {"year": 2021.9},
        {"year": "last"},
        {"year": None},
        {"year": True},
    )
    for wrong in wrongs:
        given = ", ".join(f"{key}={value!r}" for key, value in wrong.items())
        case.raises(ValueError, catalog.open, "chosen", what=f"with {given}", **wrong)
    case.raises(ValueError, catalog.open, "free", what="without a value that must be given")
    case.same(catalog.read("free", name="known"), {"n": [1]}, "a name")
    for path in ELSEWHERE:
        case.raises(ValueError, catalog.open, "free", what=f"with name={path!r}", name=path)
    reached = [path for path in case.hook("touched") if "private" in path]
    case.require(not reached, f"a value reached {', '.join(reached)}")
