"""Generate the page of the command line: each command's own ``--help``."""

from __future__ import annotations

from collections.abc import Iterator

import click

from greyhub.cli import group

HEAD = """\
# Command line

What each command says with `--help`. This page is made from the code:
`python -m greyhub.reference docs`.
"""


WIDTH = 80
"""Columns of the help."""


def commands() -> Iterator[tuple[str, str]]:
    """Every command, from ``greyhub`` on, and its help."""
    yield from _walk(group, "greyhub", None)


def _walk(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[tuple[str, str]]:
    context = click.Context(command, parent, name, terminal_width=WIDTH, **command.context_settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            if found is not None and not found.hidden:
                yield from _walk(found, each, context)


def page() -> str:
    """The page as Markdown."""
    parts = [f"## {path}\n\n```text\n{text.rstrip()}\n```" for path, text in commands()]
    return "\n\n".join([HEAD.rstrip(), *parts]) + "\n"
