"""Which packages and drivers that catalogues ask for are installed; nothing is imported."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from importlib.util import find_spec

from greyhub.data.policy import import_string


def absent(names: Iterable[str]) -> list[str]:
    """Which of these packages, by module or distribution, are not there."""
    return [name for name in names if name and not _installed(name)]


@lru_cache
def drivers() -> dict[str, EntryPoint]:
    """The registered drivers of Intake 1, by name and by import string."""
    found = {}
    for point in entry_points(group="intake.drivers"):
        found[point.name] = found[import_string(point.value)] = point
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
