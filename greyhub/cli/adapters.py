"""``greyhub adapters``: what is installed for each slot, and whether it can be used."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from typing import Any

import click

from greyhub.cli.output import print_json
from greyhub.cli.reading import json_option
from greyhub.slots import SLOTS, Slot


@click.command(
    epilog="Exit codes: 0, or 1 where no adapter has the NAME, 2 where the command was called "
    "wrongly."
)
@click.argument("name", required=False)
@json_option
def adapters(name: str | None, as_json: bool) -> None:
    """The adapters that are installed, or the options of one of them.

    \b
    greyhub adapters
    greyhub adapters local
    greyhub adapters cluster:local --json
    """  # noqa: D301
    rows = [row for row in _rows() if name is None or _is(row, name)]
    if name is not None:
        _one(name, rows, as_json)
    elif as_json:
        print_json(rows)
    else:
        for slot in SLOTS:
            click.secho(f"\n{slot}", bold=True)
            for row in rows:
                if row["slot"] == slot:
                    _print_row(row)


def _is(row: dict[str, Any], name: str) -> bool:
    slot, _, short = name.rpartition(":")
    return row["name"] == short and slot in ("", row["slot"])


def _rows() -> Iterator[dict[str, Any]]:
    for slot in SLOTS.values():
        for name, point in sorted(slot.adapters().items()):
            yield _row(slot, name, point)


def _row(slot: Slot, name: str, point: EntryPoint) -> dict[str, Any]:
    source = f"{point.dist.name} {point.dist.version}" if point.dist else ""
    about, problem, fix = "", "", ""
    try:
        cls = point.load()
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        fix = "fix or reinstall that package"
    else:
        about = " ".join((cls.__doc__ or "").split("\n\n")[0].split())
        missing = [module for module in cls.modules if find_spec(module) is None]
        if missing:
            problem = f"needs {', '.join(missing)}"
            fix = f"pip install '{cls.extra or missing[0]}'"
    return {
        "slot": slot.name,
        "name": name,
        "from": source,
        "class": point.value,
        "about": about,
        "usable": not problem,
        "problem": problem,
        "fix": fix,
    }


def _print_row(row: dict[str, Any]) -> None:
    state = click.style("usable", fg="green") if row["usable"] else click.style("no", fg="red")
    click.echo(f"  {row['name']:<14} {row['from']:<20} {state}  {row['about']}")
    if row["problem"]:
        click.echo(f"  {'':<14} {row['problem']}\n  {'':<14} fix: {row['fix']}")


def _one(name: str, rows: list[dict[str, Any]], as_json: bool) -> None:
    if not rows:
        known = sorted({row["name"] for row in _rows()})
        raise click.ClickException(f"there is no adapter {name!r}; there are: {', '.join(known)}")
    found = [row | {"options": _options(row)} for row in rows]
    if as_json:
        print_json(found)
        return
    for row in found:
        click.secho(f'\nc.GreyHub.{row["slot"]} = "{row["name"]}"', bold=True)
        _print_row(row)
        for option in row["options"]:
            default = f", default {option['default']}" if option["default"] else ""
            click.echo(f"\n  c.{option['section']}.{option['name']}: {option['type']}{default}")
            click.echo(click.wrap_text(option["help"], 90, "      ", "      "))


def _options(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The options of an adapter, and of the class that it brings."""
    from greyhub.checks.classes import brought_class
    from greyhub.option_reference import options_of

    if not row["usable"]:
        return []
    cls = SLOTS[row["slot"]].adapters()[row["name"]].load()
    brought = brought_class(cls)
    classes = [cls, *([brought] if brought is not None else [])]
    return [
        {
            "section": option.section,
            "name": option.name,
            "type": option.type,
            "default": option.default,
            "help": option.help,
            "example": option.example,
            "schema": option.schema,
        }
        for each in classes
        for option in options_of(each)
    ]
