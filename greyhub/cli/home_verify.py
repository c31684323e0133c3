"""``greyhub home verify``: compare homes with each other, or with their manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from greyhub.cli.home_options import FAILURES, Options, bar, said, told, whose
from greyhub.cli.homes import party
from greyhub.cli.output import print_json
from greyhub.homespace.migrate.locations import Location
from greyhub.homespace.migrate.opening import endpoints
from greyhub.homespace.migrate.verifying import Verified, verify
from greyhub.homespace.sync.progress import human

NAMED = 50
"""Paths that are named for people; all of them are counted, and are in the JSON."""


@click.command(
    name="verify",
    epilog="Exit codes: 0, all of SRC is in DST, or is what its manifest says; 1, something "
    "differs or could not be read; 2, the command was called wrongly.",
)
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="[DST]", default="")
@whose
@click.option("--source-options", type=Options(), default={}, help="Of the filesystem of SRC.")
@click.option("--target-options", type=Options(), default={}, help="Of the filesystem of DST.")
@click.option("--state", type=click.Path(file_okay=False), help="Where progress is remembered.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
def command(
    source: str,
    target: str,
    users: Sequence[str],
    everyone: bool,
    file: str | None,
    source_options: Mapping[str, Any],
    target_options: Mapping[str, Any],
    state: str | None,
    as_json: bool,
) -> None:
    """Compare homes by their content. Nothing is changed.

    SRC and DST are what they are for greyhub home copy. Every file of both is read. Without DST,
    a home on a store is compared with its manifest, which knows the digest of each file.

    \b
    greyhub home verify /srv/homes/{username} s3://homes/{username} --all
    greyhub home verify greyhub_config.py --user ada
    """  # noqa: D301
    with told():
        who = party(file)
        one = who.homes(source, source_options)
        other = who.homes(target, target_options) if target else None
        found = []
        for name in who.chosen(one, other, users, everyone):
            here = one.of(name, remembered=True)
            there = other.of(name, remembered=False) if other else None
            found.append(_one(name, here, there, Path(state) if state else None, as_json))
    if as_json:
        print_json({"homes": found, "whole": all(each["whole"] for each in found)})
    else:
        for each in found:
            _say(each)
    raise SystemExit(0 if all(each["whole"] for each in found) else 1)


def _one(
    name: str, here: Location, there: Location | None, state: Path | None, quiet: bool
) -> dict[str, Any]:
    try:
        with (
            bar(name, hidden=quiet) as (progress, tick),
            endpoints(here, there, state) as (one, other, _),
        ):
            report = verify(one, other, progress=progress, tick=tick)
    except FAILURES as error:
        report = Verified(here.url, there.url if there else "", unknown={"": said(error)})
    return {"user": name, "whole": report.whole, **asdict(report)}


def _say(each: Mapping[str, Any]) -> None:
    word = each["user"] or each["source"]
    count = len(each["differences"])
    click.echo(
        f"{word}: {each['files']:,} files, {human(each['bytes'])} compared with {each['target']}: "
        + (
            "all the same"
            if each["whole"]
            else f"{count:,} differ, {len(each['unknown']):,} not read"
        )
    )
    for path, why in [*each["differences"].items(), *each["unknown"].items()][:NAMED]:
        click.echo(f"  {path}: {why}" if path else f"  {why}")
    if each["extra"]:
        click.echo(f"  {len(each['extra']):,} paths are only in {each['target']}")
    if each["undescribed"]:
        click.echo(f"  of {each['undescribed']:,} files the manifest says nothing")
