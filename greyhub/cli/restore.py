"""``greyhub restore``: a backup is put in the place of what the hub remembers."""

from __future__ import annotations

import click

from greyhub.backup.archive import BackupError
from greyhub.backup.place import Place
from greyhub.backup.restoring import restore as put_back
from greyhub.cli.hub_users import check_account, check_stopped
from greyhub.cli.remembered import CODES, remembered, told, whose_state
from greyhub.errors import HomeError


@click.command(epilog=CODES)
@click.argument("source", metavar="FROM")
@whose_state
@click.option("--name", help="Which backup there; by default, the newest.")
@click.option("--stopped", is_flag=True, help="The hub does not run: where that cannot be seen.")
def restore(
    source: str, file: str | None, state: str | None, name: str | None, stopped: bool
) -> None:
    """Put a backup in the place of what the hub remembers.

    The hub must be stopped; servers may run on, and are found again. What was there is kept beside
    it. FROM is where backups are kept.

    \b
    greyhub restore /srv/backups
    greyhub restore s3://backups/science --name greyhub-20261130T020000Z.tar.gz
    """  # noqa: D301
    hub = remembered(file, state)
    with told():
        if not stopped:
            if hub.application is None:
                raise HomeError(
                    "it cannot be told from here whether the hub runs.\n"
                    "  fix: stop it, and say --stopped"
                )
            check_stopped(hub.application)
        check_account(hub.private.parent)
        place = Place(source)
        names = place.names()
        if not names or (name and name not in names):
            raise BackupError(f"there is no backup {name or ''} in {place.where}")
        name = name or names[-1]
        with place.open(name) as archive:
            former = put_back(archive, hub.private, hub.database)
    click.echo(f"{hub.private} is what it was in {name}; start the hub")
    if former:
        click.echo(f"what was there is in {former}: delete it when all is well")
    if hub.elsewhere:
        click.echo(
            f"note: the hub's database is no file, but {hub.elsewhere}: restore it by its own means"
        )
