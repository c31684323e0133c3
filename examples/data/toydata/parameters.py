"""What may be chosen: declared parameters, and their values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

WORD = re.compile(r"[\w-]+")
"""What a value that may be any text may be: no part of a path."""


def chosen(declared: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each declared parameter; ValueError if that cannot be."""
    known = {each["name"]: each for each in declared}
    for name in given:
        if name not in known:
            raise ValueError(f"there is no parameter {name!r}: {', '.join(known) or 'none'}")
    return {name: value(each, given.get(name, each["default"])) for name, each in known.items()}


def value(parameter: Mapping[str, Any], given: Any) -> Any:
    """A value, if it may be one."""
    name, kind = parameter["name"], {"int": int, "str": str}[parameter["type"]]
    if type(given) is not kind:
        raise ValueError(f"{name}={given!r} is no {parameter['type']}")
    if parameter["allowed"] and given not in parameter["allowed"]:
        raise ValueError(f"{name}={given!r} is none of {parameter['allowed']}")
    low, high = parameter["min"], parameter["max"]
    if (low is not None and given < low) or (high is not None and given > high):
        raise ValueError(f"{name}={given!r} is not from {low} to {high}")
    if not WORD.fullmatch(str(given)):
        raise ValueError(f"{name}={given!r} is no word")
    return given
