"""What append, update and their like add to an option, and where they would add nothing."""

from __future__ import annotations

from typing import Any

from traitlets import (
    Bool,
    Bytes,
    Dict,
    Enum,
    Float,
    Integer,
    List,
    Set,
    TraitType,
    Tuple,
    Unicode,
    Union,
)
from traitlets.config.loader import LazyConfigValue

from greyhub.checks.usable import Refused


def added(value: LazyConfigValue, initial: Any) -> Any:
    """What ``append`` or ``update`` make of a default, without changing either."""
    fresh = LazyConfigValue()
    fresh._extend, fresh._prepend = list(value._extend), list(value._prepend)
    fresh._inserts, fresh._update = list(value._inserts), value._update
    return fresh.get_value(initial)


def refuse_ignored(trait: TraitType[Any, Any], name: str, value: Any) -> None:
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
