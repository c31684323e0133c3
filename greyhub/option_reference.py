"""Generate the page of options, each with type, default, help and example, and a JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import traitlets
from traitlets import TraitType
from traitlets.config import Configurable

from greyhub.adapter import Adapter
from greyhub.checks.sections import brought_class
from greyhub.imports import import_object
from greyhub.secret_names import is_secret
from greyhub.slots import SLOTS, Slot

HEAD = """\
# Options

Every option of greyhub and of the adapters that it ships. This page is made from the code:
`python -m greyhub.reference docs`. The same as a JSON Schema is in [schema.json](schema.json).
How a configuration is written and checked is told in
[Write and check a configuration](../how-to/configure.md).
"""


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
        schema=_schema(trait),
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


_JSON: tuple[tuple[type, dict[str, Any]], ...] = (
    (traitlets.Bool, {"type": "boolean"}),
    (traitlets.Integer, {"type": "integer"}),
    (traitlets.Float, {"type": "number"}),
    (traitlets.Unicode, {"type": "string"}),
)


def _schema(trait: TraitType[Any, Any]) -> dict[str, Any]:
    """The JSON Schema of an option's values, as far as JSON can say it."""
    found = _shape(trait)
    if trait.allow_none and "type" in found:
        found = {"anyOf": [found, {"type": "null"}]}
    return found


def _shape(trait: Any) -> dict[str, Any]:
    if isinstance(trait, traitlets.Enum):
        return {"enum": list(trait.values or ())}
    if isinstance(trait, traitlets.Union):
        return {"anyOf": [_shape(each) for each in trait.trait_types]}
    if isinstance(trait, traitlets.Dict):
        inner = getattr(trait, "_value_trait", None)
        return {"type": "object"} | ({"additionalProperties": _shape(inner)} if inner else {})
    if isinstance(trait, traitlets.List | traitlets.Set | traitlets.Tuple):
        inner = getattr(trait, "_trait", None)
        shape = {"type": "array"} | ({"items": _shape(inner)} if inner else {})
        return shape | ({"uniqueItems": True} if isinstance(trait, traitlets.Set) else {})
    for kind, shape in _JSON:
        if isinstance(trait, kind):
            limits = (("minimum", "min"), ("maximum", "max"))
            return shape | {
                key: value
                for key, name in limits
                if isinstance(value := getattr(trait, name, None), int | float)
            }
    return {}


def classes() -> Iterator[tuple[str, type, str]]:
    """The classes of the reference: a heading, the class, and how it is chosen."""
    from greyhub.hub import GreyHub

    shared: dict[str, list[str]] = {}
    yield "The platform", GreyHub, "Always in use."
    for slot in SLOTS.values():
        base = slot.load_base()
        yield f"{slot.name}: anything else", base, _unwrapped(slot)
        for name, point in sorted(slot.adapters().items()):
            if point.dist is not None and point.dist.name != "greyhub":
                continue
            adapter = point.load()
            chosen = f'Chosen with `c.GreyHub.{slot.name} = "{name}"`.'
            yield f"{slot.name}: {name}", adapter, chosen
            brought = brought_class(adapter)
            if brought is not None and brought.__module__.startswith("greyhub."):
                yield f"{slot.name}: {name}, {brought.__name__}", brought, chosen
            for further in getattr(adapter, "reads", ()):
                shared.setdefault(further, []).append(f"{slot.name}: {name}")
    for further, readers in shared.items():
        cls = import_object(further)
        yield cls.__name__, cls, f"Read by {', '.join(readers)}."


def _unwrapped(slot: Slot) -> str:
    from greyhub.hub import GreyHub

    said = GreyHub.class_traits()[slot.name].help or ""
    opens = re.search(r"a class, or (.+?)\. None leaves", said)
    return f"In use when `c.GreyHub.{slot.name}` is {opens[1] if opens else 'a class'}."


def page() -> str:
    """The reference as Markdown."""
    parts = [HEAD]
    for heading, cls, chosen in classes():
        parts += [f"## {heading}", f"`{cls.__name__}`. {_first(cls)} {chosen}"]
        found = options_of(cls)
        own = {option.name for option in found}
        for option in found:
            parts.append(_entry(option, cls))
        bases = [base.__name__ for base in cls.__mro__[1:] if _foreign(base, own)]
        if bases:
            parts.append(f"And every option of JupyterHub's `{bases[0]}`.")
        elif not found:
            parts.append("No options of its own.")
    parts += [_rules(), _risks()]
    return "\n\n".join(parts) + "\n"


def _first(cls: type) -> str:
    return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())


def _foreign(base: type, own: set[str]) -> bool:
    foreign = base.__module__.startswith("jupyterhub.")
    return foreign and issubclass(base, Configurable) and bool(base.class_own_traits(config=True))


def _entry(option: Option, cls: type) -> str:
    default = f"default `{option.default}`" if option.default else "no default"
    lines = [f"### `c.{option.section}.{option.name}`", f"{option.type}; {default}", option.help]
    trait = cls.class_traits()[option.name]  # type: ignore[attr-defined]
    if trait.metadata.get("example") is not None or option.default:
        lines.append(f"```python\n{option.example}\n```")
    return "\n\n".join(line for line in lines if line)


def _rules() -> str:
    from greyhub.checks.facts import FACTS
    from greyhub.checks.rules import EXCLUSIVE, EXISTING, REQUIRED, RULES

    lines = [
        "## Rules between options and slots",
        "A configuration that breaks one of these does not start. A warning or a note is said, "
        "and the hub starts. What an adapter needs of the others, it says with the names below: "
        "see `greyhub.adapter.Adapter.needs`.",
        "| where | it must be so that | otherwise |\n| --- | --- | --- |\n"
        + "\n".join(
            f"| {' and '.join(_called(name) for name in rule.when)} | {_called(rule.needs)} "
            f"| {rule.level}: {rule.because} |"
            for rule in RULES
        ),
        "| name | what it says of a platform |\n| --- | --- |\n"
        + "\n".join(f"| `{fact.name}` | {fact.means} |" for fact in FACTS.values()),
        "Of each of these pairs, one option may be set:",
        "\n".join(
            f"- `c.{'.'.join(pair.one)}` and `c.{'.'.join(pair.other)}`: {pair.because}"
            for pair in EXCLUSIVE
        ),
        "These must be set where the class is in use:",
        "\n".join(
            f"- `{required.cls}`: {', '.join(f'`{name}`' for name in required.options)}"
            for required in REQUIRED
        ),
        "These must name what is there:",
        "\n".join(f"- `c.{'.'.join(each.option)}`: a {each.kind}" for each in EXISTING),
    ]
    needs = [
        f"| `{adapter.__name__}` | {_called(name)} | {because} |"
        for _, adapter, _ in classes()
        if issubclass(adapter, Adapter)
        for name, because in adapter.needs.items()
    ]
    if needs:
        lines.append("| adapter | needs | because |\n| --- | --- | --- |\n" + "\n".join(needs))
    return "\n\n".join(lines)


def _called(name: str) -> str:
    return f"not `{name.removeprefix('not ')}`" if name.startswith("not ") else f"`{name}`"


def _risks() -> str:
    from greyhub.checks.risks import RISKS

    rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in RISKS.items())
    return (
        "## What can be accepted by name\n\n"
        "`c.GreyHub.accepted_risks` takes these words; without them, the hub does not start.\n\n"
        f"| word | what is accepted |\n| --- | --- |\n{rows}"
    )


def schema() -> dict[str, Any]:
    """A JSON Schema of ``{section: {option: value}}``; sections of others are let through."""
    sections: dict[str, Any] = {}
    for _, cls, chosen in classes():
        sections[cls.__name__] = {
            "type": "object",
            "description": f"{_first(cls)} {chosen}",
            "properties": {
                option.name: dict(option.schema)
                | {"description": option.help}
                | ({"writeOnly": True} if is_secret(option.name) else {})
                for option in options_of(cls)
            },
            "additionalProperties": any(_foreign(base, set()) for base in cls.__mro__[1:]),
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "greyhub",
        "type": "object",
        "properties": sections,
    }
