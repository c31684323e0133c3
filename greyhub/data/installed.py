"""Which packages and drivers that catalogues ask for are installed; nothing is imported."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from importlib.util import find_spec

from greyhub.data.policy import import_string

FIRST = {
    "csv": "greyhub.data.csv_files:CSVFiles",
    "intake.source.csv:CSVSource": "greyhub.data.csv_files:CSVFiles",
    "json": "intake.source.jsonfiles:JSONFileSource",
    "jsonl": "intake.source.jsonfiles:JSONLinesFileSource",
    "intake.source.jsonfiles:JSONLinesFileSource": "intake.source.jsonfiles:JSONLinesFileSource",
}
"""Drivers that Intake 1 had, by name and by class, where Intake 2 has none or another."""


def absent(names: Iterable[str]) -> list[str]:
    """Which of these packages, by module or distribution, are not there."""
    return [name for name in names if name and not _installed(name)]


@lru_cache
def drivers() -> dict[str, EntryPoint]:
    """The registered drivers of Intake 1, by name and by import string.

    A class that its package offers at its top, too, has that import string as well.
    """
    found = {}
    for point in entry_points(group="intake.drivers"):
        module, _, name = import_string(point.value).partition(":")
        top = f"{module.partition('.')[0]}:{name}"
        for each in (point.name, f"{module}:{name}", top):
            found[each] = point
    if _installed("intake"):
        found |= {name: EntryPoint(name, at, "intake.drivers") for name, at in FIRST.items()}
    return found


def forget() -> None:
    """Look again: something may have been installed since."""
    drivers.cache_clear()
    _installed.cache_clear()


@lru_cache
def _installed(name: str) -> bool:
    if name.isidentifier() and find_spec(name) is not None:
        return True
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
