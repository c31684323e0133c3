"""The reference is what the code says, whole."""

from __future__ import annotations

import json
from pathlib import Path

from greyhub.checks.values import convert, empty
from greyhub.option_reference import options_of
from greyhub.reference import commands, metrics
from greyhub.reference.classes import classes
from greyhub.reference.options import page, schema

PAGES = Path(__file__).parents[2] / "docs/reference"
FIX = "write it anew: python -m greyhub.reference docs"


def test_the_page_is_not_stale() -> None:
    assert (PAGES / "options.md").read_text() == page(), FIX


def test_the_page_of_commands_is_not_stale() -> None:
    assert (PAGES / "commands.md").read_text() == commands.page(), FIX


def test_the_page_of_metrics_is_not_stale() -> None:
    assert (PAGES / "metrics.md").read_text() == metrics.page(), FIX


def test_the_schema_is_not_stale() -> None:
    assert json.loads((PAGES / "schema.json").read_text()) == schema(), FIX


def test_every_option_has_help_and_an_example_that_it_takes() -> None:
    for _, cls, _ in classes():
        for option in options_of(cls):
            trait = cls.class_traits()[option.name]  # type: ignore[attr-defined]
            assert option.help, option
            assert trait.metadata.get("example") is not None or option.default, option
            if option.example.endswith(")") and "= greyhub.secret(" in option.example:
                continue  # whatever is in there
            value: dict[str, object] = {}
            exec(option.example.replace(f"c.{option.section}.", "value_"), value)
            convert(empty(cls), option.name, value[f"value_{option.name}"])
