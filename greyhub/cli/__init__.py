"""``greyhub``: the administrator's commands.

Each command is a module of its own, imported when it is called, so that
``greyhub --help`` does not wait for JupyterHub.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from greyhub import __version__

COMMANDS = {
    "init": "greyhub.cli.init:init",
    "check": "greyhub.cli.check:check",
    "show": "greyhub.cli.show:show",
    "adapters": "greyhub.cli.adapters:adapters",
    "home": "greyhub.cli.home:home",
    "users": "greyhub.cli.users:users",
    "conform": "greyhub.conformance.command:conform",
}
"""The commands in the order in which help lists them."""


class Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command; the beginning of its name is enough."""
        names = [name for name in COMMANDS if name.startswith(cmd_name)]
        if cmd_name in COMMANDS:
            names = [cmd_name]
        if len(names) != 1:
            return None
        module, _, name = COMMANDS[names[0]].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0, all is well; 1, something is wrong and was said; 2, the command itself "
    "was called wrongly.",
)
@click.version_option(__version__, prog_name="greyhub")
def group() -> None:
    """A JupyterHub platform made of exchangeable parts.

    \b
    greyhub init                    write a greyhub_config.py
    greyhub check                   is it right, and who will get in?
    greyhub show                    what each option is, and who set it
    jupyterhub -f greyhub_config.py start the platform
    """  # noqa: D301


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    group.main(args=list(arguments) if arguments is not None else None, prog_name="greyhub")
