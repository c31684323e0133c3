"""``greyhub home``: the commands for users' homes."""

from __future__ import annotations

import click

from greyhub.cli.lazy_group import LazyGroup

COMMANDS = {
    "status": "greyhub.cli.home_status:status",
    "sync": "greyhub.cli.home_status:sync",
    "copy": "greyhub.cli.home_copy:copy",
    "verify": "greyhub.cli.home_verify:command",
    "delete": "greyhub.cli.home_delete:delete",
}
"""The commands in the order in which help lists them."""


@click.group(
    cls=LazyGroup,
    targets=COMMANDS,
    epilog="Exit codes: 0, all is well; 1, something is wrong and was said; 2, the command itself "
    "was called wrongly.",
)
def home() -> None:
    """Homes: is all of it saved? And, for administrators: to where do they go?

    \b
    greyhub home status             in a server: is everything in the store?
    greyhub home sync               in a server: wait until it is
    greyhub home copy SRC DST       copy homes to another backend
    greyhub home verify SRC [DST]   is all of it there?
    greyhub home delete USER        put a home into the trash
    """  # noqa: D301
