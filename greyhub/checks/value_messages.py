"""Say what is wrong with the value of an option, and which one would do."""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from traitlets import Bool, Enum, Integer, List, Set, TraitError, TraitType, Tuple

from greyhub.checks.classes import GROUPS
from greyhub.imports import points
from greyhub.masking import shown
from greyhub.secrets import StorageOptions

_NOISE = re.compile(r"^The (?:value of the )?'\w+' trait of (?:an? [\w.]+ instance|[\w.]+) ?")


def told(trait: TraitType[Any, Any], name: str, value: Any, error: Exception) -> str:
    """What the trait has said, in a few words."""
    text = " ".join(str(error).split())
    if absent := _not_imported(text):
        return f"{absent!r} names no class that can be imported"
    if not isinstance(error, TraitError):
        return f"{shown(value, name)} cannot be used: {text}"
    if isinstance(trait, Enum):
        return f"{shown(value, name)} is none of {', '.join(map(repr, trait.values or ()))}"
    rest = _NOISE.sub("", text).rstrip(".")
    rest = re.sub(r"^expected (.*), not (.*)$", r"\2 is not \1", rest)
    return rest or f"{shown(value, name)} is not {trait.info()}"


def fix(trait: TraitType[Any, Any], value: Any, error: Exception | None = None) -> str:
    """A better value, where the mistake is a usual one."""
    text = str(value) if isinstance(value, str) else ""
    if isinstance(trait, StorageOptions) and isinstance(value, Mapping):
        return ""  # what is wrong says what to write
    if error is not None and (absent := _not_imported(str(error))):
        return _class_instead(absent)
    if isinstance(trait, List | Set | Tuple) and isinstance(value, list | set | tuple):
        return _of_each(trait, value)
    if isinstance(trait, Enum):
        close = difflib.get_close_matches(text, [str(each) for each in trait.values or ()], n=1)
        return f"write {close[0]!r}" if close else "choose one of these"
    for kind, better in _BETTER:
        if isinstance(trait, kind) and text and (fix := better(text)):
            return fix
    if isinstance(value, int | float) and (bounds := _bounds(trait)):
        return f"write a number {bounds}"
    if type(trait).__name__ == "ByteSpecification":
        return "give a number of bytes, or a text such as '2G'"
    return f"give {trait.info()}"


def _not_imported(text: str) -> str:
    """The name of a class that traitlets could not import."""
    found = re.search(r"instance must be a type, but '([^']*)' could not be imported", text)
    return found[1] if found else ""


def _class_instead(absent: str) -> str:
    """A class by another name: that of an entry point, or one like it in the same module."""
    for group in GROUPS:
        for point in points(group):
            if point.name == absent:
                return f"write {point.value.replace(':', '.')!r}"
    module, _, name = absent.replace(":", ".").rpartition(".")
    try:
        there = vars(importlib.import_module(module)) if module else {}
    except Exception:
        there = {}
    classes = [each for each, found in there.items() if isinstance(found, type)]
    if close := difflib.get_close_matches(name, classes, n=1):
        return f"write {f'{module}.{close[0]}'!r}"
    return f"fix the name, or install what brings {(module or absent).partition('.')[0]}"


def _of_each(trait: Any, value: Collection[Any]) -> str:
    """What a list holds, where one of its parts is wrong."""
    inner = getattr(trait, "_trait", None)
    if isinstance(inner, Enum):
        wrong = next((each for each in value if each not in (inner.values or ())), None)
        return fix(inner, wrong)
    return f"let each of them be {inner.info()}" if inner is not None else f"give {trait.info()}"


def _bounds(trait: Any) -> str:
    """The bounds of a number, if it has any: ``from 1 to 10``."""
    limits = (("from", "min"), ("to", "max"))
    found = [(word, getattr(trait, name, None)) for word, name in limits]
    return " ".join(f"{word} {limit:g}" for word, limit in found if isinstance(limit, int | float))


_BETTER: list[tuple[type, Callable[[str], str]]] = [
    (
        Integer,
        lambda text: f"write {text.strip()}, without quotes" if text.strip().isdigit() else "",
    ),
    (Bool, lambda text: _boolean(text)),
    (List, lambda text: f"write [{text!r}]"),
    (Set, lambda text: f"write {{{text!r}}}"),
]


def _boolean(text: str) -> str:
    for value, words in (
        ("True", ("true", "yes", "on", "1")),
        ("False", ("false", "no", "off", "0")),
    ):
        if text.strip().lower() in words:
            return f"write {value}, without quotes"
    return ""
