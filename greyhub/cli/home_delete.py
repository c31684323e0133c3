"""``greyhub home delete``: move homes into the trash."""

from __future__ import annotations

from collections.abc import Sequence

import click

from greyhub.cli.home_options import FAILURES, said, told
from greyhub.cli.homes import party
from greyhub.cli.output import print_json
from greyhub.errors import HomeError


@click.command(
    epilog="Exit codes: 0, these homes are gone from their places; 1, one of them is not, and was "
    "said; 2, the command was called wrongly."
)
@click.argument("users", metavar="USER…", nargs=-1, required=True)
@click.option(
    "-f",
    "--file",
    default="greyhub_config.py",
    show_default=True,
    type=click.Path(exists=True, dir_okay=False),
    help="The config file of the hub.",
)
@click.option("--for-good", is_flag=True, help="Remove them, without any trash.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
def delete(users: Sequence[str], file: str, for_good: bool, as_json: bool) -> None:
    """Put the homes of users into the trash, which stands beside the homes.

    What has been in the trash for longer than c.HomespaceAdapter.trash_days is removed. A user who
    comes back gets a new home. To take one out of the trash, copy it.

    \b
    greyhub home delete ada
    greyhub home delete ada --for-good -f /etc/greyhub/greyhub_config.py
    greyhub home copy /srv/homes/.trash/2026-11-21/ada /srv/homes/ada
    """  # noqa: D301
    found = []
    with told():
        who = party(file)
        adapter = who.platform(file)
        days = 0 if for_good else adapter.trash_days
        for user in users:
            where, error = "", ""
            try:
                if user in who.running():
                    raise HomeError(f"a server of {user} runs: stop it first")
                where = adapter.delete_home(user, days)
            except FAILURES as failed:
                error = said(failed)
            found.append({"user": user, "trash": where, "error": error})
    if as_json:
        print_json({"homes": found})
    else:
        for each in found:
            click.echo(f"{each['user']}: {each['error'] or each['trash'] or 'no home is there'}")
    raise SystemExit(1 if any(each["error"] for each in found) else 0)
