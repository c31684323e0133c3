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


def commands() -> Iterator[tuple[str, str]]:
    """Every command, from ``greyhub`` on, and its help."""
    yield from _walk(group, click.Context(group, info_name="greyhub", terminal_width=80))


def _walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                inner = click.Context(found, parent=context, info_name=name, terminal_width=80)
                yield from _walk(found, inner)


def page() -> str:
    """The page as Markdown."""
    parts = [f"## {path}\n\n```text\n{text.rstrip()}\n```" for path, text in commands()]
    return "\n\n".join([HEAD.rstrip(), *parts]) + "\n"
