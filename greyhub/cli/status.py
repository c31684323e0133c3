"""``greyhub status``: what runs, and how long servers took to start."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from greyhub.cli.home_options import told
from greyhub.cli.output import print_findings, print_json
from greyhub.cli.reading import file_option, json_option, read
from greyhub.hub_database import HubDatabase
from greyhub.starts.summary import Group, summary


@click.command(
    epilog="Exit codes: 0, it was told; 1, it cannot be; 2, the command was called wrongly."
)
@file_option
@click.option(
    "--last",
    default=500,
    show_default=True,
    type=click.IntRange(1),
    help="How many of the last starts count; 500 are kept.",
)
@json_option
def status(file: str, last: int, as_json: bool) -> None:
    """What runs, and how long servers took to start.

    Of each profile and image: the median of the time to a server, the time in which nine of ten
    had started, and where it went. Cold starts had to pull an image, or to make a node or an
    instance. The hub's database is asked, whether the hub runs or not.

    \b
    greyhub status
    greyhub status --last 50 --json -f /etc/greyhub/greyhub_config.py
    """  # noqa: D301
    reading = read(file)
    if reading.failed:
        print_findings([each for each in reading.findings if each.level == "error"], err=True)
        raise click.ClickException(f"no hub would start from {file}")
    database = HubDatabase(reading.application.db_url)
    with told():
        servers, starts = database.servers(), database.starts()[:last]
    found = summary(starts)
    if as_json:
        print_json(
            {
                "servers": len(servers),
                "since": starts[-1].ended if starts else None,
                "started": [asdict(each) for each in found.started],
                "failed": [asdict(each) for each in found.failed],
            }
        )
        return
    click.echo(_head(len(servers), starts))
    for group in found.started:
        click.echo("\n".join(_started(group)))
    for each in found.failed:
        click.echo(f"{each.profile or 'servers'}: {each.count} failed: {each.reason}")


def _head(servers: int, starts: Sequence[Any]) -> str:
    run = "1 server runs" if servers == 1 else f"{servers} servers run"
    if not starts:
        return f"{run}; no start of a server is known yet"
    since = time.strftime("%Y-%m-%d %H:%M", time.gmtime(starts[-1].ended))
    count = "1 start" if len(starts) == 1 else f"{len(starts)} starts"
    return f"{run}; {count} since {since} UTC"


def _started(group: Group) -> Iterator[str]:
    name = " ".join(part for part in (group.profile, group.image) if part) or "servers"
    kind = "" if group.start == "unknown" else f", {group.start}"
    size = f", {group.image_bytes / 1e6:.0f} MB" if group.image_bytes else ""
    yield (
        f"{name}{size}{kind}: {group.count} started, half of them in {group.median:.1f} s, "
        f"9 of 10 in {group.percentile90:.1f} s"
    )
    yield f"  {', '.join(f'{phase} {took:.1f} s' for phase, took in group.phases.items())}"
