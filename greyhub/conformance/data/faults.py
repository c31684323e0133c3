"""DATA-009 to 011, 014, 033, 034: malformed catalogues, missing data, a broken network."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from greyhub.conformance.case import Broken
from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.data.case import DataCase
from greyhub.conformance.data.content import RAIN, SUN
from greyhub.conformance.data.datasets import table
from greyhub.conformance.data.intake_formats import document
from greyhub.conformance.record import shorten
from greyhub.errors import CatalogError

MALFORMED: dict[str, tuple[str | bytes, int]] = {
    "an empty file": ("", 1),
    "only a comment": ("# nothing\n", 1),
    "a list": ("- rain\n- sun\n", 1),
    "one line of text": ("rain\n", 1),
    "no YAML": ("sources:\n  rain: [\n", 3),
    "a tab": ("sources:\n\train: 1\n", 2),
    "half of a file": ("sources:\n  rain:\n    driver: csv\n    args: {urlpath: ", 4),
    "a name twice": ("sources:\n  rain: {driver: csv}\n  rain: {driver: csv}\n", 3),
    "entries that are a list": ("sources:\n- rain\n", 1),
    "bytes": (b"sources:\n  \xff\xfe\x00\x01: 1\n", 2),
    "a zip file": (b"PK\x03\x04" + bytes(200), 1),
    "version 99": ("version: 99\nsources: {}\n", 1),
    "another program's": ("apiVersion: v1\nkind: Pod\n", 1),
    "an alias of itself": ("sources: &s\n  rain: *s\n", 1),
}
"""What is no catalogue, and the line on which that shows."""


@clause("DATA-009", MUST, needs="documents", hooks="write")
def what_is_no_catalogue_is_said_to_be_none(case: DataCase) -> None:
    """Of a document that is no catalogue, one CatalogError tells file and line.

    It is not taken for an empty catalogue, and no parser's own error comes out. One
    that is not there is an error that names it.

    Seen: intake 2.0.9: AttributeError, KeyError or the YAML parser's own
    """
    place = case.suite.place()
    case.did("write no catalogue")
    case.hook("write", {}, quietly=True)
    error = case.raises(Exception, _used, case, what="a catalogue that is not there")
    told = f"{error} {getattr(error, 'filename', '')}"
    case.require(place in told, f"of one that is not there, {place} is not named: {shorten(told)}")
    for what, (text, line) in MALFORMED.items():
        case.write(text)
        error = case.raises(CatalogError, _used, case, what=what)
        told = str(error)
        case.require(place in told, f"{what}: the error does not name {place}: {shorten(told)}")
        near = any(f"{place}:{number}" in told for number in (line, line + 1, max(1, line - 1)))
        case.require(near, f"{what}: the error does not tell line {line}: {shorten(told)}")


def _of_nobody(version: int) -> str:
    """A catalogue whose one dataset needs what is not installed."""
    if version == 1:
        return "sources:\n  sky: {driver: nonesuch_driver, args: {}}\n"
    rest: dict[str, Any] = {"metadata": {}, "user_parameters": {}}
    reader = {"reader": "nonesuch_driver:Reader", "kwargs": {"data": "{data(d)}"}, **rest}
    data = {"datatype": "intake.readers.datatypes:CSV", "kwargs": {"url": "x.csv"}, **rest}
    body = {"version": 2, "aliases": {"sky": "sky"}, "entries": {"sky": reader}, **rest}
    return json.dumps({**body, "data": {"d": data}})


def _read(case: DataCase, name: str) -> Any:
    return case.catalog().read(name)


def _used(case: DataCase) -> Any:
    """A catalogue that is lazy about its document may find out when it is listed."""
    catalog = case.catalog()
    return catalog.names()


BAD: dict[int, dict[str, Any]] = {
    1: {
        "no mapping": "just text",
        "no driver": {"args": {}},
        "a driver that nobody has": {"driver": "nonesuch_driver", "args": {}},
        "args that are a list": {"driver": "csv", "args": [1]},
        "what is declared nowhere": {"driver": "csv", "args": {"urlpath": "{{ UNDECLARED }}/x"}},
    },
    2: {
        "no mapping": "just text",
        "no reader": {"kwargs": {"data": "{data(good-data)}"}},
        "a reader that nobody has": {"reader": "nonesuch_driver:Reader", "kwargs": {}},
        "kwargs that are a list": {"reader": "intake.readers.readers:PandasCSV", "kwargs": [1]},
        "data that is not there": {
            "reader": "intake.readers.readers:PandasCSV",
            "kwargs": {"data": "{data(nonesuch)}"},
        },
    },
}
"""Entries that cannot be opened, in each of Intake's formats."""

SECTION = {1: "sources", 2: "entries"}


@clause("DATA-010", MUST, needs="documents", hooks="publish write")
def one_bad_entry_hides_no_other(case: DataCase) -> None:
    """One bad entry does not hide the others, and fails on its own name."""
    import yaml

    good = table("good", RAIN)
    case.publish(good=good)
    version = case.suite.version
    body = yaml.safe_load(document(version, {"good": good}))
    for what, entry in BAD[version].items():
        entries = {"bad": entry, "good": body[SECTION[version]]["good"]}
        aliases = {"aliases": {"bad": "bad", "good": "good"}} if version == 2 else {}
        case.write(yaml.safe_dump({**body, SECTION[version]: entries, **aliases}, sort_keys=False))
        try:
            catalog = case.catalog()
            names = catalog.names()
        except Exception as shut:
            raise Broken(f"an entry with {what} keeps the catalogue shut: {shut!r}") from shut
        case.require("good" in names, f"an entry with {what} hides the others: {names}")
        case.same(catalog.read("good"), RAIN, f"beside an entry with {what}")
        error = case.raises(CatalogError, catalog.read, "bad", what=f"an entry with {what}")
        case.require("bad" in str(error), f"{what}: the error does not name it: {error}")
        case.require(not isinstance(error, KeyError), f"{what}: it is told to be unknown: {error}")


@clause("DATA-011", MUST, hooks="publish damage")
def what_is_missing_is_named(case: DataCase) -> None:
    """Data that is not there, or may not be read, is an error that names dataset or place.

    In its text, its notes, or as its ``filename``. So is a driver that is not
    installed, by its name. It is never an empty dataset, nor does it outlast its cause.
    """
    case.publish(rain=table("deluge", RAIN), sun=table("sun", SUN))
    catalog = case.catalog()
    for how in ("missing", "forbidden"):
        with case.damage("data/deluge.csv", how):
            error = case.raises(Exception, catalog.read, "rain", what=f"data that is {how}")
            notes = getattr(error, "__notes__", "")
            told = f"{error} {error.__cause__} {getattr(error, 'filename', '')} {notes}"
            named = "rain" in told or "deluge" in told
            case.require(named, f"the error of data that is {how} names nothing: {error!r}")
            case.require(
                not isinstance(error, KeyError), f"data that is {how} is no unknown name: {error!r}"
            )
            case.same(catalog.read("sun"), SUN, f"beside data that is {how}")
        case.same(catalog.read("rain"), RAIN, "when it is there again")
    if case.claims("documents"):
        case.write(_of_nobody(case.suite.version))
        error = case.raises(CatalogError, _read, case, "sky", what="a driver that nobody has")
        for word in ("sky", "nonesuch_driver"):
            case.require(word in str(error), f"the error does not name {word}: {error}")


@clause("DATA-014", MUST, needs="remote", hooks="publish touched")
def it_is_read_over_a_network(case: DataCase) -> None:
    """Catalogue and data are read over the network; relative places stand beside the catalogue."""
    rain = table("rain", RAIN)
    case.publish(rain=rain)
    if case.claims("documents"):
        case.write(document(case.suite.version, {"rain": rain}, relative=True))
    catalog = case.catalog()
    case.same(catalog.read("rain"), RAIN, "rain")
    touched = sorted(case.hook("touched"))
    case.require("data/rain.csv" in touched, f"the network has seen {touched} alone")


@clause("DATA-033", MUST, needs="remote", hooks="publish damage", guards="data")
def what_breaks_off_is_no_dataset(case: DataCase) -> None:
    """A connection that breaks in the midst of data is an error, never a part; again works."""
    number = 40_000
    squares = [each * each for each in range(number)]
    columns: dict[str, list[Any]] = {"n": list(range(number)), "square": squares}
    case.publish(long=table("long", columns))
    catalog = case.catalog()
    dataset = catalog.open("long")
    for how in ("truncated", "reset"):
        with case.damage("data/long.csv", how):
            try:
                found = catalog.all_of(dataset)
            except Exception as error:
                case.saw(f"{how}: {type(error).__name__}")
            else:
                case.same(found, columns, f"with a connection that is {how}")
        case.same(catalog.read("long"), columns, "read again")


MANY = 2000
"""As many as show whether 5 000 take too long; to parse them all is most of a run's work."""


@clause("DATA-034", SHOULD, hooks="publish", budget=40)
def many_datasets_and_many_users(case: DataCase) -> None:
    """5 000 datasets are listed within two seconds, and 50 users look at once.

    2 000 are published, which have their part of that time. What counts are the seconds
    that this process works, not those that it waits. On a machine that is slow or busy,
    twelve times what it takes to parse as many lines of YAML.
    """
    shared = table("shared", RAIN)
    case.publish_all({f"dataset-{number:04}": shared for number in range(MANY)})
    began = time.process_time()
    count = len(case.catalog().names())
    seconds = time.process_time() - began
    case.saw(f"{count} names in {seconds:.2f} s")
    case.require(count == MANY, f"it lists {count} of {MANY}")
    allowed = 2 * MANY / 5000
    if seconds > allowed * case.patience:
        allowed = max(allowed, 12 * _parsing(MANY))
    case.within(seconds, allowed, f"{MANY} datasets took")
    case.publish(shared=shared)
    wrong: list[str] = []

    def look(number: int) -> None:
        try:
            if (names := list(case.suite.names(case.suite.make(f"user{number}")))) != ["shared"]:
                wrong.append(f"user {number} sees {names}")
        except Exception as error:
            wrong.append(f"user {number}: {error!r}")

    case.did("50 users look at once")
    threads = [threading.Thread(target=look, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    case.require(not wrong, f"{len(wrong)} of 50 users: {wrong[:1]}")


def _parsing(number: int) -> float:
    """The seconds that this process works to parse a document of so many datasets."""
    import yaml

    part = document(1, {f"dataset-{each:04}": table("shared", RAIN) for each in range(500)})
    began = time.process_time()
    yaml.load(part, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - it is safe
    return (time.process_time() - began) * number / 500
