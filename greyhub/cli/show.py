"""``greyhub show``: the value of every option, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from greyhub.checks.changes import left_behind
from greyhub.checks.effective import EffectiveOption, effective_options
from greyhub.cli.output import as_mapping, print_findings, print_json
from greyhub.cli.reading import Reading, json_option, like_jupyterhub, read
from greyhub.wording import shortened


@click.command(
    context_settings=like_jupyterhub,
    epilog="Exit codes: 0, it was shown; 1, a file has errors, which are said first; 2, the "
    "command was called wrongly.",
)
@click.option(
    "-f",
    "--file",
    default="greyhub_config.py",
    show_default=True,
    type=click.Path(dir_okay=False),
    help="The config file.",
)
@click.option("--all", "everything", is_flag=True, help="Also what has its default value.")
@json_option
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[OLD NEW] [--Section.option=…]")
def show(file: str, everything: bool, as_json: bool, rest: Sequence[str]) -> None:
    """Show every option that differs from its default, with its origin.

    Secrets are masked. With two files, show what would change between them, and what a
    change would leave behind: homes, running servers, names.

    \b
    greyhub show
    greyhub show --all --json
    greyhub show greyhub_config.py new_config.py
    greyhub show --GreyHub.cluster=local
    """  # noqa: D301
    files = [each for each in rest if not each.startswith("-")]
    options = [each for each in rest if each.startswith("-")]
    if len(files) not in (0, 2):
        raise click.UsageError("give no file (there is -f), or two to compare")
    if files:
        _compare(files[0], files[1], options, as_json)
        return
    reading = _read(file, options)
    rows = effective_options(reading.composition.platform, everything=everything)  # type: ignore[union-attr]
    if as_json:
        print_json({"file": file, "options": [_row(row) for row in rows]})
    else:
        for row in rows:
            click.echo(f"{row.option} = {shortened(repr(row.value))}  {_faint(f'# {row.origin}')}")
    raise SystemExit(1 if reading.failed else 0)


def _read(file: str, options: Sequence[str]) -> Reading:
    try:
        with open(file):
            pass
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}") from error
    reading = read(file, options)
    errors = [finding for finding in reading.findings if finding.level == "error"]
    for finding in errors:
        click.echo(str(finding), err=True)
    if reading.composition is None:
        raise SystemExit(1)
    return reading


def _compare(old: str, new: str, options: Sequence[str], as_json: bool) -> None:
    readings = [_read(old, options), _read(new, options)]
    platforms = [reading.composition.platform for reading in readings if reading.composition]
    sides = [
        {row.option: row for row in effective_options(each, everything=True)} for each in platforms
    ]
    changed = []
    for option in sorted({*sides[0], *sides[1]}):
        one, other = sides[0].get(option), sides[1].get(option)
        if (one and one.value) != (other and other.value):
            changed.append((option, one, other))
    warnings = list(left_behind(platforms[0], platforms[1], (old, new)))
    if as_json:
        print_json(
            {
                "old": old,
                "new": new,
                "changes": [
                    {
                        "option": option,
                        "old": _row(one) if one else None,
                        "new": _row(other) if other else None,
                    }
                    for option, one, other in changed
                ],
                "warnings": [as_mapping(finding) for finding in warnings],
            }
        )
    else:
        _print_changes(changed)
        print_findings(warnings)
        if not changed:
            click.echo("nothing would change")
    raise SystemExit(1 if any(reading.failed for reading in readings) else 0)


def _print_changes(
    changed: Sequence[tuple[str, EffectiveOption | None, EffectiveOption | None]],
) -> None:
    for option, one, other in changed:
        for sign, colour, row in (("-", "red", one), ("+", "green", other)):
            if row is not None:
                line = f"{sign} {option} = {shortened(repr(row.value))}"
                click.echo(f"{click.style(line, fg=colour)}  {_faint(f'# {row.origin}')}")


def _faint(text: str) -> str:
    return click.style(text, dim=True)


def _row(row: EffectiveOption) -> dict[str, Any]:
    return {
        "option": row.option,
        "value": json.loads(json.dumps(row.value, default=str)),
        "default": json.loads(json.dumps(row.default, default=str)),
        "origin": row.origin,
    }
