"""The options of a class as people read them: type, default, help and example."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import traitlets
from traitlets import TraitType

from greyhub.option_schema import schema_of


@dataclass(frozen=True)
class Option:
    """One option, as the reference shows it."""

    section: str
    name: str
    type: str
    default: str
    help: str
    example: str
    schema: Mapping[str, Any]


def options_of(cls: type) -> list[Option]:
    """The options that greyhub gives a class, by name; those of its foreign bases are not."""
    return [
        _option(cls.__name__, name, trait)
        for name, trait in sorted(cls.class_traits(config=True).items())  # type: ignore[attr-defined]
        if trait.this_class.__module__.partition(".")[0] == cls.__module__.partition(".")[0]
        and not trait.metadata.get("renamed")
    ]


def _option(section: str, name: str, trait: TraitType[Any, Any]) -> Option:
    return Option(
        section=section,
        name=name,
        type=_type(trait),
        default=_default(trait),
        help=" ".join((trait.help or "").split()),
        example=f"c.{section}.{name} = {_example(trait)!r}",
        schema=schema_of(trait),
    )


def _type(trait: Any) -> str:
    """The type of an option in a few words."""
    if isinstance(trait, traitlets.Enum):
        return "one of " + ", ".join(f"`{value!r}`" for value in trait.values or ())
    if isinstance(trait, traitlets.Union):
        return ", or ".join(_type(each) for each in trait.trait_types)
    if isinstance(trait, traitlets.Dict):
        inner = getattr(trait, "_value_trait", None)
        return "mapping" + (f" of text to {_type(inner)}" if inner else "")
    if isinstance(trait, traitlets.List | traitlets.Set | traitlets.Tuple):
        inner = getattr(trait, "_trait", None)
        kind = type(trait).__name__.lower()
        return kind + (f" of {_type(inner)}" if inner and type(inner) is not traitlets.Any else "")
    names = ((traitlets.Bool, "true or false"), (traitlets.Integer, "whole number"))
    more = ((traitlets.Float, "number"), (traitlets.Unicode, "text"))
    known = next((name for kind, name in (*names, *more) if isinstance(trait, kind)), "")
    return known or re.sub(r"^(a|an) ", "", trait.info())


def _default(trait: TraitType[Any, Any]) -> str:
    value = _default_value(trait)
    return "" if value in (None, "", [], {}, set(), traitlets.Undefined) else repr(value)


def _default_value(trait: TraitType[Any, Any]) -> Any:
    value = trait.default_value
    if isinstance(trait, traitlets.Container | traitlets.Dict) and trait.default_args:
        return trait.default_args[0]
    return None if value is traitlets.Undefined else value


def _example(trait: TraitType[Any, Any]) -> Any:
    """A value that shows how it is written: the trait's tag, or its default."""
    example = trait.metadata.get("example")
    return _default_value(trait) if example is None else example
