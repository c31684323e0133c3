"""Check the value of every option with its own trait.

The trait itself is asked, as it will be when the object is made: types, ranges
and choices are what the class says they are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traitlets import (
    Bool,
    Bytes,
    Dict,
    Enum,
    Float,
    HasTraits,
    Integer,
    List,
    Set,
    TraitError,
    TraitType,
    Tuple,
    Unicode,
    Union,
)
from traitlets.config import Config
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from greyhub.checks.classes import options, sections
from greyhub.checks.provenance import Names
from greyhub.checks.usable import Refused, refuse_unusable
from greyhub.deferred_secrets import read_secrets, secrets_in
from greyhub.errors import ConfigError
from greyhub.masking import shown
from greyhub.secret_names import is_secret
from greyhub.secrets import Secret, StorageOptions


@dataclass(frozen=True)
class Flaw:
    """An option whose value its class does not take."""

    path: Names
    what: str
    fix: str = ""


def settings(cls: type, config: Config, outer: Sequence[str] = ()) -> dict[str, tuple[Names, Any]]:
    """The options of a class that a configuration sets: name to path and value.

    The most specific section stands, and one inside of ``outer`` above all.
    """
    found: dict[str, tuple[Names, Any]] = {}
    known = options(cls)
    for prefix in ((), *((name,) for name in outer)):
        part: Any = config
        for name in prefix:
            part = part.get(name, {})
        for section in sections(cls):
            values = part.get(section, {})
            for name, value in values.items() if isinstance(values, Mapping) else ():
                if name in known:
                    found[name] = ((*prefix, section, name), value)
    return found


MISSING = object()


def value_at(config: Config, path: Names, default: Any = MISSING) -> Any:
    """What a configuration holds under the names of a path."""
    part: Any = config
    for name in path:
        if not isinstance(part, Mapping) or name not in part:
            return default
        part = part[name]
    return part


def empty(cls: type) -> HasTraits:
    """An object of a class without its ``__init__``: traits and defaults alone."""
    made: HasTraits = cls.__new__(cls)  # type: ignore[call-overload]
    return made


def convert(blank: HasTraits, name: str, value: Any) -> Any:
    """The value as the trait will hold it.

    Raises
    ------
    Refused
        The trait does not take it.
    """
    trait = options(type(blank))[name]
    _refuse_ignored(trait, name, value)
    secret = value if isinstance(value, Secret) else None
    referred = isinstance(trait, StorageOptions) and secret is None
    held = not referred and any(True for _ in secrets_in(value))
    try:
        if isinstance(value, LazyConfigValue):
            value = added(value, getattr(blank, name))
        if isinstance(value, DeferredConfig):
            value = value.get_value(trait)
        elif held:
            value = read_secrets(value)
        if value is None and trait.allow_none:
            return None
        validate = getattr(trait, "validate", None)
        converted = validate(blank, value) if validate else value
    except ConfigError as error:
        raise Refused(error.what, error.fix) from None
    except (TraitError, ValueError, TypeError) as error:
        if held or is_secret(name):
            what = f"the content of {secret.source}" if secret else "this value"
            raise Refused(f"{what} is not {trait.info()}") from None
        raise Refused(_told(trait, name, value, error), _fix(trait, value)) from None
    refuse_unusable(trait, name, converted)
    return converted


def added(value: LazyConfigValue, initial: Any) -> Any:
    """What ``append`` or ``update`` make of a default, without changing either."""
    fresh = LazyConfigValue()
    fresh._extend, fresh._prepend = list(value._extend), list(value._prepend)
    fresh._inserts, fresh._update = list(value._inserts), value._update
    return fresh.get_value(initial)


def _refuse_ignored(trait: TraitType[Any, Any], name: str, value: Any) -> None:
    """Refuse what traitlets ignores silently: ``append`` on a mapping, ``update`` on a list."""
    if not isinstance(value, LazyConfigValue):
        return
    stray = [key for key in vars(value) if not key.startswith("_")]
    if stray:
        raise Refused(
            f"{name}.{stray[0]} is set, which changes nothing",
            f"write {name} = {{{stray[0]!r}: …}}" if isinstance(trait, Dict) else "",
        )
    kinds = _kinds(trait)
    if kinds is None:
        return
    if (value._extend or value._prepend or value._inserts) and list not in kinds:
        raise Refused(
            "append, extend, prepend and insert change a list, and this is "
            f"{trait.info()}: they would do nothing",
            f"assign the whole value: {name} = …",
        )
    if value._update is not None and not kinds & {dict, set}:
        raise Refused(
            f"update and add change a mapping or a set, and this is {trait.info()}: "
            "they would do nothing",
            f"assign the whole value: {name} = …",
        )


def _kinds(trait: Any) -> set[type] | None:
    """Which containers a trait holds; None if there is no telling."""
    if isinstance(trait, Union):
        parts = [_kinds(each) for each in trait.trait_types]
        return None if None in parts else set().union(*(part or set() for part in parts))
    for kind, found in ((List, list), (Set, set), (Dict, dict)):
        if isinstance(trait, kind):
            return {found}
    scalar = isinstance(trait, Bool | Integer | Float | Unicode | Bytes | Enum | Tuple)
    return set() if scalar else None


_NOISE = re.compile(r"^The (?:value of the )?'\w+' trait of (?:an? [\w.]+ instance|[\w.]+) ?")


def _told(trait: TraitType[Any, Any], name: str, value: Any, error: Exception) -> str:
    text = " ".join(str(error).split())
    if not isinstance(error, TraitError):
        return f"{shown(value, name)} cannot be used: {text}"
    if isinstance(trait, Enum):
        return f"{shown(value, name)} is none of {', '.join(map(repr, trait.values or ()))}"
    rest = _NOISE.sub("", text).rstrip(".")
    rest = re.sub(r"^expected (.*), not (.*)$", r"\2 is not \1", rest)
    return rest or f"{shown(value, name)} is not {trait.info()}"


def _fix(trait: TraitType[Any, Any], value: Any) -> str:
    """A better value, where the mistake is a usual one."""
    text = str(value) if isinstance(value, str) else ""
    if isinstance(trait, StorageOptions) and isinstance(value, Mapping):
        return ""  # what is wrong says what to write
    if isinstance(trait, Enum):
        close = difflib.get_close_matches(text, [str(each) for each in trait.values or ()], n=1)
        return f"write {close[0]!r}" if close else "choose one of these"
    for kind, better in _BETTER:
        if isinstance(trait, kind) and text and (fix := better(text)):
            return fix
    if type(trait).__name__ == "ByteSpecification":
        return "give a number of bytes, or a text such as '2G'"
    return f"give {trait.info()}"


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
