"""The former name of `greyhub.conformance.homespace`: works in this version still, and says so."""

from __future__ import annotations

from typing import Any

from greyhub.conformance import homespace
from greyhub.errors import warn_renamed


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    new = {"HomeSuite": "HomespaceSuite"}.get(name, name)
    found = getattr(homespace, new)
    warn_renamed(f"{__name__}.{name}", f"{homespace.__name__}.{new}")
    return found
