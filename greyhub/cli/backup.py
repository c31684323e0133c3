"""``greyhub backup``: what the hub remembers, kept elsewhere."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from greyhub.backup.archive import write
from greyhub.backup.place import Place
from greyhub.cli.remembered import CODES, remembered, told, whose_state


@click.command(epilog=CODES)
@click.argument("to")
@whose_state
@click.option(
    "--keep", type=click.IntRange(1), help="Delete all backups there but so many, the newest."
)
def backup(to: str, file: str | None, state: str | None, keep: int | None) -> None:
    """Keep what the hub remembers in a directory, or at an fsspec URL.

    That is its database, its keys, the tables of homes and uids: all that is in state_dir/hub but
    logs. The hub may run meanwhile. Homes are not in it. Whoever reads a backup can pose as the
    hub: keep it where nobody else reads.

    What it takes to log in to a store comes from the environment, as the store's package reads
    it, or as JSON in a variable such as FSSPEC_S3.

    \b
    greyhub backup /srv/backups
    greyhub backup s3://backups/science --keep 7
    greyhub backup /backups --state /var/lib/greyhub/state
    """  # noqa: D301
    hub = remembered(file, state)
    with told(), TemporaryDirectory(prefix="greyhub-backup-") as directory:
        path = Path(directory) / "backup.tar.gz"
        with path.open("xb") as archive:
            parts = write(archive, hub.private, hub.database)
        place = Place(to)
        name = place.put(path)
        click.echo(f"{place.where}/{name}: {len(parts)} files, {path.stat().st_size} bytes")
        for old in place.prune(keep) if keep else ():
            click.echo(f"{place.where}/{old}: deleted, as {keep} are kept")
    if hub.elsewhere or not any(part.endswith("jupyterhub.sqlite") for part in parts):
        click.echo(
            f"note: the hub's database is not in it: it is no file{_of(hub.elsewhere)}. A database "
            "server has backups of its own: make them at the same times"
        )


def _of(kind: str) -> str:
    return f", but {kind}" if kind else " of the state"
