"""Write values as Python, as a person would."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Any, Final

WIDTH: Final = 96


def python(value: Any, indent: int = 0, used: int = 0) -> str:
    """A value as Python; ``used`` letters stand before it on its line."""
    short = _short(value)
    if indent + used + len(short) <= WIDTH or not isinstance(value, Mapping | list) or not value:
        return short
    deeper = indent + 4
    pad = " " * deeper
    if isinstance(value, Mapping):
        lines = []
        for key, each in value.items():
            name = f"{_short(key)}: "
            lines.append(f"{pad}{name}{python(each, deeper, len(name))},")
        return "\n".join(["{", *lines, " " * indent + "}"])
    lines = [f"{pad}{python(each, deeper)}," for each in value]
    return "\n".join(["[", *lines, " " * indent + "]"])


def comment(text: str) -> list[str]:
    """A comment, in lines."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="# ",
        subsequent_indent="#   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def variable(value: Any) -> str:
    """The text of a variable, as Helm writes one: a mapping may name its value."""
    if isinstance(value, Mapping):
        return variable(value.get("value"))
    if isinstance(value, str) or value is None:
        return value or ""
    return json.dumps(value)


def _short(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_short(key)}: {_short(of)}" for key, of in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    return repr(value)
