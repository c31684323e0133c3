"""``greyhub``: the administrator's commands.

Each command is a module of its own, imported when it is called, so that
``greyhub --help`` does not wait for JupyterHub.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from greyhub import __version__
from greyhub.cli.lazy_group import LazyGroup

COMMANDS = {
    "init": "greyhub.cli.init:init",
    "check": "greyhub.cli.check:check",
    "show": "greyhub.cli.show:show",
    "status": "greyhub.cli.status:status",
    "adapters": "greyhub.cli.adapters:adapters",
    "home": "greyhub.cli.home:home",
    "users": "greyhub.cli.users:users",
    "backup": "greyhub.cli.backup:backup",
    "restore": "greyhub.cli.restore:restore",
    "conform": "greyhub.conformance.command:conform",
}
"""The commands in the order in which help lists them."""


@click.group(
    cls=LazyGroup,
    targets=COMMANDS,
    abbreviations=True,
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
    greyhub status                  what runs, and how long servers took to start
    jupyterhub -f greyhub_config.py start the platform
    """  # noqa: D301


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    group.main(args=list(arguments) if arguments is not None else None, prog_name="greyhub")
