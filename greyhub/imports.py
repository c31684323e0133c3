"""Import strings and entry points: how classes are named in texts, and found."""

from __future__ import annotations

import importlib
import sys
from functools import lru_cache
from importlib.metadata import EntryPoints, entry_points
from typing import Any


def points(group: str) -> EntryPoints:
    """The installed entry points of a group. All distributions are read once, for all groups."""
    found: EntryPoints = _all_points(tuple(sys.path)).select(group=group)
    return found


@lru_cache(maxsize=1)
def _all_points(path: tuple[str, ...]) -> Any:
    return entry_points()


def import_object(path: str) -> Any:
    """What an import string names: ``package.module:name`` or ``package.module.name``."""
    module, _, name = path.partition(":") if ":" in path else path.rpartition(".")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def import_string(cls: type) -> str:
    """The import string of a class: what `import_object` takes."""
    return f"{cls.__module__}:{cls.__qualname__}"
