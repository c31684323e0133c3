"""The page of options, and their JSON Schema."""

from __future__ import annotations

from typing import Any

from traitlets.config import Configurable

from greyhub.option_reference import Option, options_of
from greyhub.reference.classes import classes
from greyhub.reference.rules import risks, rules
from greyhub.secret_names import is_secret

HEAD = """\
# Options

Every option of greyhub and of the adapters that it ships. This page is made from the code:
`python -m greyhub.reference docs`. The same as a JSON Schema is in [schema.json](schema.json).
How a configuration is written and checked is told in
[Write and check a configuration](../how-to/configure.md).
"""


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
    parts += [rules(), risks()]
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
