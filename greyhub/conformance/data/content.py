"""DATA-001 to 004, 008, 013, 015: what is listed, described and read."""

from __future__ import annotations

import json
import threading
from typing import Any

from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.data.case import DataCase
from greyhub.conformance.data.datasets import Parameter, lines, table

RAIN: dict[str, list[Any]] = {"month": [1, 2, 3], "mm": [31, 0, 12]}
SUN: dict[str, list[Any]] = {"month": [1, 2, 3], "hours": [52.5, 77.0, 118.25]}

AWKWARD = (
    *("plain", "Plain", "two words", "dash-ed", "under_score", "ünï-日本", "UPPER", "2024"),
    *("a'b\"c", "items", "null", "v1.2"),
)


@clause("DATA-001", MUST, hooks="publish")
def it_lists_what_is_there(case: DataCase) -> None:
    """What is listed is what can be described and opened: nothing missing, nothing phantom.

    Its length and ``in`` agree with the list. Names are awkward ones, and then there
    are more of them than a page holds.

    Seen: intake 2.0.9: list(catalog) gives aliases alone, and not what was added by name
    """
    datasets = {name: table(f"t{number}", {"n": [number]}) for number, name in enumerate(AWKWARD)}
    case.publish_all(datasets)
    catalog = case.catalog()
    names = catalog.names()
    missing, odd = sorted(set(AWKWARD) - set(names)), sorted(set(names) - set(AWKWARD))
    case.require(names == sorted(AWKWARD), f"it lists {names}: without {missing}, and with {odd}")
    count = case.call("len()", len, catalog.catalog)
    case.require(count == len(AWKWARD), f"its length is {count}, and it lists {len(AWKWARD)}")
    for number, name in enumerate(AWKWARD):
        case.require(catalog.has(name), f"{name!r} is listed, and not in it")
        said = catalog.describe(name)
        case.require(said, f"it says nothing of {name!r}")
        case.same(catalog.read(name), {"n": [number]}, f"reading {name!r}")
    many = [f"n{number:03}" for number in range(101)]
    case.publish_all(dict.fromkeys(many, datasets["plain"]))
    names = case.catalog().names()
    case.require(names == many, f"of {len(many)} datasets it lists {len(names)}")


@clause("DATA-002", MUST, hooks="publish", guards="data")
def it_reads_everything(case: DataCase) -> None:
    """read() gives all rows and all columns, as they are.

    Texts hold commas, quotes, newlines and other alphabets; there are more rows
    than fit into one block of anything, in no order, and lines that are blank or
    there twice. A table without a row is no error.
    """
    number = 6000
    texts = ["a,b", 'say "so"', "two\nlines", "naïve 日本 🦊", " spaced ", "0012x", "x" * 300]
    columns: dict[str, list[Any]] = {
        "n": case.random.sample(range(number), number),
        "text": [texts[each % len(texts)] for each in range(number)],
        "value": [case.random.uniform(-1e6, 1e6) for _ in range(number)],
        "Mixed Case": [each % 7 for each in range(number)],
        "big": [case.random.randrange(-(2**62), 2**62) for _ in range(number)],
    }
    log = [f"line {each} of the log" for each in range(1000)]
    log += ["there twice", "", "naïve 日本 🦊", " spaced ", "there twice"]
    case.publish(
        everything=table("everything", columns),
        log=lines("log", log),
        nothing=table("nothing", {"n": []}),
    )
    catalog = case.catalog()
    case.same(catalog.read("everything"), columns, "everything")
    case.same(catalog.read("log"), log, "the log")
    nothing = catalog.read("nothing")
    case.require(nothing in ({"n": []}, []), f"a table without a row is read as {nothing!r}")


@clause("DATA-003", MUST, hooks="publish touched")
def it_lists_without_looking(case: DataCase) -> None:
    """Listing, describing and showing touch no data."""
    # Files that no other clause has read.
    case.publish(rain=table("unread", RAIN, description="Rain."), log=lines("unread", ["a", "b"]))
    before = set(case.hook("touched"))
    catalog = case.catalog()
    case.call("repr()", repr, catalog.catalog)
    for name in catalog.names():
        catalog.describe(name)
        catalog.has(name)
    html = getattr(catalog.catalog, "_repr_html_", None)
    if html is not None:
        case.call("_repr_html_()", html)
    touched = sorted(set(case.hook("touched")) - before)
    case.require(not touched, f"listing and describing read {', '.join(touched)}")
    catalog.read("rain")
    seen = set(case.hook("touched")) - before
    if not seen:
        raise AssertionError("the suite's touched() does not see what is read")


STRANGE = (
    "nope", "RAIN", "rai", "rainfall", " rain", "rain ", "rain\n", "rain/", "./rain", "../rain",
    "data/rain.csv", "rain.csv", "rain.read", "__class__", "__init__", "_entries", "read", "keys",
    "items", "", "*", "r?in", "%72ain", "rain\0",
)  # fmt: skip


@clause("DATA-004", MUST, hooks="publish")
def unknown_names_are_key_errors(case: DataCase) -> None:
    """An unknown name is a KeyError that names it: no other name, attribute or path is meant.

    Case, spaces and paths are not folded away; what is not in it can be neither
    opened nor described.

    Seen: intake#412 https://github.com/intake/intake/issues/412: a RecursionError
    """
    case.publish(rain=table("rain", RAIN))
    catalog = case.catalog()
    for name in STRANGE:
        error = case.raises(KeyError, catalog.open, name, what=f"open({name!r})")
        told = name in str(error) or repr(name)[1:-1] in str(error)
        case.require(told, f"open({name!r}): the error does not name it: {error}")
        case.require(not catalog.has(name), f"{name!r} is in it, and cannot be opened")
        case.raises(KeyError, catalog.describe, name, what=f"describe({name!r})")
    for key in (None, 0, ("rain",)):
        case.raises(KeyError, catalog.open, key, what=f"open({key!r})")
    case.same(catalog.read("rain"), RAIN, "rain")


@clause("DATA-008", MUST, hooks="publish", needs="parameters", guards="data")
def readers_do_not_mix(case: DataCase) -> None:
    """Who reads with one value does not get what another asked for.

    Two are opened before the first is read; then eight threads read at once.
    """
    years = range(2020, 2024)
    files = {f"data/rain-{year}.csv": f"year,mm\n{year},{year % 7}\n".encode() for year in years}
    one = table("rain", {}).but(
        place="data/rain-{year}.csv",
        files=files,
        parameters=(Parameter("year", default=2020, allowed=tuple(years)),),
    )
    case.publish(rain=one)
    catalog = case.catalog()

    def expected(year: int) -> dict[str, list[int]]:
        return {"year": [year], "mm": [year % 7]}

    opened = {year: catalog.open("rain", year=year) for year in years}
    default = catalog.open("rain")
    for year, dataset in opened.items():
        case.same(catalog.all_of(dataset), expected(year), f"the one of {year}, read later")
    case.same(catalog.all_of(default), expected(2020), "the default")
    mixed: list[str] = []

    def read(number: int) -> None:
        for each in range(6):
            year = 2020 + (number + each) % 4
            try:
                found = catalog.read("rain", year=year)
            except Exception as error:
                mixed.append(f"the one of {year} raised {error!r}")
                return
            if found != expected(year):
                mixed.append(f"the one of {year} gave {found}")

    case.did("eight threads read at once")
    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    case.require(not mixed, f"among eight threads, {mixed[:1]}")


@clause("DATA-013", MUST, hooks="publish")
def it_describes_what_is_published(case: DataCase) -> None:
    """A description is stable and JSON: name, description, container, parameters, metadata.

    It says what was published, is the same when asked again, also after it was
    opened and read, and by another notebook; and to change it changes nothing.
    """
    parameters = (
        (Parameter("year", default=2021, allowed=(2020, 2021)),)
        if case.claims("parameters")
        else ()
    )
    files = {f"data/rain-{year}.csv": b"mm\n1\n" for year in (2020, 2021)}
    metadata: dict[str, Any] = {"licence": "CC0", "checked": True, "until": None, "years": 2}
    metadata["points"] = {"lat": 50.7, "tags": ["wet", "dry"]}
    about = "Rain at 'Exeter', in ½ mm: # the sum of <each> day."
    one = table("rain", {"mm": [1]}, description=about, metadata=metadata)
    if parameters:
        one = one.but(place="data/rain-{year}.csv", files=files, parameters=parameters)
    case.publish(rain=one)
    catalog = case.catalog()
    first = catalog.describe("rain")
    text = case.call("json", json.dumps, first)
    for key in ("name", "description", "container", "parameters", "metadata"):
        case.require(key in first, f"a description has no {key!r}, but {sorted(first)}")
    case.require(first["name"] == "rain", f"its name is {first['name']!r}")
    case.require(first["description"] == one.description, f"it says {first['description']!r}")
    for key, value in metadata.items():
        case.equal(first["metadata"].get(key, "not there"), value, f"its metadata {key!r} is")
    container = first["container"]
    case.require(isinstance(container, str) and container, f"its container is {container!r}")
    _parameters(case, first["parameters"], parameters)
    for given in ({}, {"year": 2020} if parameters else {}):
        catalog.read("rain", **given)
        again = json.dumps(catalog.describe("rain"))
        case.require(again == text, f"after it was read with {given}, it is another: {again}")
    _spoil(first)
    case.require(json.dumps(catalog.describe("rain")) == text, "to change it changes what is said")
    other = json.dumps(case.catalog().describe("rain"))
    case.require(other == text, "another notebook is told something else")


def _parameters(case: DataCase, found: Any, published: tuple[Parameter, ...]) -> None:
    said = {each["name"]: each for each in found}
    names = [each.name for each in published]
    case.require(list(said) == names, f"its parameters are {list(said)}, not {names}")
    for each in published:
        told = said[each.name]
        wanted = {"default": each.default, "allowed": list(each.allowed or ())}
        for key, value in wanted.items():
            case.require(
                told.get(key) == value,
                f"{each.name} has the {key} {told.get(key)!r}, not {value!r}",
            )


def _spoil(described: Any) -> None:
    """Change whatever can be changed in a description."""
    if isinstance(described, dict):
        for value in described.values():
            _spoil(value)
        described["name"] = "spoilt"
    elif isinstance(described, list):
        for value in described:
            _spoil(value)
        described.append("spoilt")


@clause("DATA-015", SHOULD, needs="export", hooks="publish restore")
def what_is_exported_can_be_published(case: DataCase) -> None:
    """What is exported, and published again, is the same catalogue.

    Seen: intake#839 https://github.com/intake/intake/issues/839
    """
    one = table("rain", RAIN, description="Rain.", metadata={"licence": "CC0"})
    case.publish(rain=one, sun=table("sun", SUN))
    before = case.catalog()
    told = {name: dict(before.describe(name)) for name in before.names()}
    exported = case.call("export()", case.suite.export, before.catalog)
    case.publish()
    case.hook("restore", exported, quietly=True)
    after = case.catalog()
    again = {name: dict(after.describe(name)) for name in after.names()}
    case.require(again == told, f"exported and published again, {told} is {again}")
    case.same(after.read("rain"), RAIN, "rain")
