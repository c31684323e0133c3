"""The kinds of a parameter's values, and what makes a value of what was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any


def known(kind: str) -> str:
    """The kind itself; `ValueError` where Intake has none of this name."""
    if kind not in CONVERT:
        raise ValueError(f"type {kind!r} is none of: {', '.join(CONVERT)}")
    return kind


def kind_of(value: Any) -> str:
    """The kind of a default for which none is named."""
    name = type(value).__name__
    return name if name in CONVERT else "object"


def same(value: Any) -> Any:
    """What was given, whatever it is."""
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError("not text")
    return value if isinstance(value, str) else str(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
        raise ValueError("not a whole number")
    return int(value)


def _truth(value: Any) -> bool:
    words = {"true": True, "false": False}
    return value if isinstance(value, bool) else words[str(value).lower()]


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        raise TypeError("text is no list")
    return list(value)


def _moment(value: Any) -> Any:
    from pandas import to_datetime  # type: ignore[import-untyped,unused-ignore]

    return to_datetime(value)


CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "str": _text,
    "unicode": _text,
    "int": _whole,
    "float": float,
    "bool": _truth,
    "datetime": _moment,
    "list": _listed,
    "mlist": same,
    "tuple": _listed,
    "dict": dict,
    "object": same,
    "other": same,
}

_ELSEWHERE = re.compile(r"[/\\{}%?#*\[\]\x00-\x1f\x7f]|::|^\.\.?\Z|^~|^\Z")


def leads_elsewhere(value: Any) -> bool:
    """Whether a text in a value could lead to another file than the catalogue's author meant."""
    return any(_ELSEWHERE.search(text) for text in _texts(value))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list | tuple | set):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in _texts(each)]
    return []


def in_order(low: Any, high: Any) -> bool:
    """Whether a value is no more than another: what is no number, NaN too, is outside all."""
    try:
        return bool(low <= high)
    except TypeError:
        return False
