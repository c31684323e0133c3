"""What the official types of Azure ML's API say of a body, read from ``facts.json``.

There a property is its type and what is said of it: ``string``, ``string /pattern/``,
``'one' | 'other'``, ``[of a list]``, ``{of a map}``, or the name of another type;
``required``, ``readonly`` (only in answers), ``writeonly`` (only in requests).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, cast

NAME = r"^[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9\-]{2,23}$"
"""The official pattern of a compute's name."""

_FLAGS = re.compile(r"^(.*?)((?: required| readonly| writeonly)*)$")
_PLAIN: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


@cache
def table() -> dict[str, Any]:
    """The whole file: ``source``, ``api_version``, ``types``."""
    text = resources.files(__package__).joinpath("facts.json").read_text()
    return cast(dict[str, Any], json.loads(text))


def problems(kind: str, value: object, *, sent: bool) -> list[str]:
    """What is wrong with a body; empty if it keeps to the type.

    Parameters
    ----------
    kind : str
        The name of a type in ``facts.json``.
    value : object
        The body, as JSON gives it.
    sent : bool
        It is a request: nothing that is read only may be in it. Otherwise it is
        an answer.
    """
    if value is None:
        return [f"there is no body; {kind} is expected"]
    return list(_check(kind, value, sent, kind))


def _check(kind: str, value: object, sent: bool, where: str) -> Iterator[str]:
    if kind == "any" or value is None:
        return
    if kind.startswith("["):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        for index, each in enumerate(value):
            yield from _check(kind[1:-1], each, sent, f"{where}[{index}]")
    elif kind.startswith("{"):
        if not isinstance(value, dict):
            yield f"{where} is no object"
            return
        for name, each in value.items():
            yield from _check(kind[1:-1], each, sent, f"{where}.{name}")
    elif kind.startswith("'"):
        if value not in (words := re.findall(r"'([^']*)'", kind)):
            yield f"{where} is {value!r}, none of {', '.join(words)}"
    elif (name := kind.split(" ")[0]) in _PLAIN:
        of_kind = isinstance(value, _PLAIN[name])
        if not of_kind or (isinstance(value, bool) and name != "boolean"):
            yield f"{where} is {value!r}, no {name}"
        elif " /" in kind and not re.search(kind.split(" ", 1)[1][1:-1], str(value)):
            yield f"{where} is {value!r}, which does not match {kind.split(' ', 1)[1]}"
    else:
        yield from _check_object(kind, value, sent, where)


def _check_object(kind: str, value: object, sent: bool, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no object"
        return
    said = table()["types"][kind]
    known = dict(said["properties"])
    if by := said.get("by"):
        variant = value.get(by)
        if variant not in said["of"]:
            yield f"{where}.{by} is {variant!r}, none of {', '.join(said['of'])}"
            return
        known |= table()["types"][said["of"][variant]]["properties"]
    for name in value.keys() - known.keys():
        yield f"{where}.{name} is not in the official type {kind}"
    for name, word in known.items():
        inner, flags = cast(re.Match[str], _FLAGS.match(word)).groups()
        here = f"{where}.{name}"
        given = value.get(name)
        wrong_way = " readonly" if sent else " writeonly"
        if given is not None and wrong_way in flags:
            place = "a request" if sent else "an answer"
            yield f"{here} is {wrong_way[1:-4]}-only, and is in {place}"
        elif given is None and " required" in flags and (sent or " writeonly" not in flags):
            yield f"{here} is required"
        else:
            yield from _check(inner, given, sent, here)
