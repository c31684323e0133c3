"""``greyhub home status`` and ``greyhub home sync``: is a server's home saved in its store?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from greyhub.cli.output import print_json
from greyhub.cli.reading import json_option
from greyhub.errors import HomeError
from greyhub.homespace.sync import client
from greyhub.homespace.sync.progress import human


@click.command
@json_option
def status(as_json: bool) -> None:
    """Is everything in this server's home saved in its store?

    Ends with 0 if it is, and with 1 if something is still only on this machine.
    """
    _tell(_asked(client.status), as_json)


@click.command
@click.option("--timeout", default=300.0, show_default=True, help="Seconds to wait at most.")
@json_option
def sync(timeout: float, as_json: bool) -> None:
    """Wait until everything in this server's home is saved.

    Ends with 0 if it is, and with 1 if something is still only on this machine.
    """
    _tell(_asked(client.sync, timeout=timeout), as_json)


def _asked(question: Any, **options: Any) -> Mapping[str, Any]:
    try:
        state: Mapping[str, Any] = question(**options)
    except HomeError as error:
        raise click.ClickException(str(error)) from error
    return state


def _tell(state: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(state)
    else:
        for line in described(state):
            click.echo(line)
    if not state["saved"]:
        raise SystemExit(1)


def described(state: Mapping[str, Any]) -> list[str]:
    """The state of a home in lines for people."""
    lines = [f"{state['home']}, kept in {state['store']}"]
    if state["phase"] == "restoring":
        lines.append(f"coming down: {state['progress']['text']}")
    elif state["saved"]:
        lines.append("saved: all of it is in the store")
    elif state["unsaved"]:
        lines.append(f"not saved yet: {state['unsaved']:,} paths")
    for path in state["paths"]:
        reason = state["reasons"].get(path)
        lines.append(f"  {path}: {reason}" if reason else f"  {path}")
    if state["unsaved"] > len(state["paths"]):
        lines.append(f"  and {state['unsaved'] - len(state['paths']):,} more")
    if state["trouble"]:
        lines.append(f"the store does not answer as it should: {state['trouble']}")
    lines.append(f"in the store: {_used(state)}")
    if state["warning"]:
        lines.append(f"warning: {state['warning']}")
    return lines


def _used(state: Mapping[str, Any]) -> str:
    most, files = state["quota"], f"{state['files']:,}"
    size = human(state["bytes"])
    if most["bytes"]:
        size += f" of {human(most['bytes'])}"
    if most["files"]:
        files += f" of {most['files']:,}"
    return f"{size} in {files} files"
