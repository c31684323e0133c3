"""``greyhub users``: the commands for who is who."""

from __future__ import annotations

import click

from greyhub.cli.lazy_group import LazyGroup

COMMANDS = {
    "list": "greyhub.cli.users_list:command",
    "map": "greyhub.cli.users_map:command",
    "merge": "greyhub.cli.users_merge:command",
    "rename": "greyhub.cli.users_rename:command",
}
"""The commands in the order in which help lists them."""


@click.group(
    cls=LazyGroup,
    targets=COMMANDS,
    epilog="Exit codes: 0, all is well; 1, something is wrong and was said; 2, the command itself "
    "was called wrongly.",
)
def users() -> None:
    """Users: who logs in as whom, for good?

    \b
    greyhub users list              who logs in as whom?
    greyhub users map USER …        a login is this user's from now on
    greyhub users merge USER INTO   all logins of one user are another's
    greyhub users rename USER NEW   another name for a user
    """  # noqa: D301
