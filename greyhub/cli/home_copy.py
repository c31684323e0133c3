"""``greyhub home copy``: copy homes to another backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from greyhub.cli.homes import FAILURES, Options, Party, bar, party, said, told, whose
from greyhub.cli.output import print_json
from greyhub.errors import HomeError
from greyhub.homespace.migrate import pods
from greyhub.homespace.migrate.copying import Copied, Copying
from greyhub.homespace.migrate.locations import endpoints
from greyhub.homespace.migrate.users import PlatformHomes
from greyhub.homespace.sync.progress import human
from greyhub.homespace.sync.workers import Workers

RUNS = "a server of this user runs: stop it, and run the same command again"


@click.command(
    epilog="Exit codes: 0, all of every home is there, and nothing was put under another name; 1, "
    "something is not, and was said; 2, the command was called wrongly."
)
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@whose
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be copied.")
@click.option(
    "--stopped",
    is_flag=True,
    help="These users' servers are stopped: needed where there is no hub to be asked.",
)
@click.option(
    "--switch",
    is_flag=True,
    help="The hub of --file remembers DST as the home of everyone whose home is there whole.",
)
@click.option("--no-check", is_flag=True, help="Do not read again what was written.")
@click.option("--source-options", type=Options(), default={}, help="Of the filesystem of SRC.")
@click.option("--target-options", type=Options(), default={}, help="Of the filesystem of DST.")
@click.option(
    "--image",
    default="",
    help="From or to a claim of Kubernetes: the image, with greyhub in it, of the pod that copies. "
    "[default: the config file's c.PodSpawner.image]",
)
@click.option("--state", type=click.Path(file_okay=False), help="Where progress is remembered.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program.")
def copy(
    source: str,
    target: str,
    users: Sequence[str],
    everyone: bool,
    file: str | None,
    dry: bool,
    stopped: bool,
    switch: bool,
    no_check: bool,
    source_options: Mapping[str, Any],
    target_options: Mapping[str, Any],
    image: str,
    state: str | None,
    as_json: bool,
) -> None:
    """Copy homes to another backend. SRC stays as it is.

    SRC and DST are URLs or directories with {username} in them, or config files, which stand for
    the homes of their platforms. Files are copied side by side, and each is read again. A command
    that was ended goes on when it is called again. What is in DST already and differs is kept:
    then the copy gets a name of its own.

    \b
    greyhub home copy /srv/homes/{username} s3://homes/{username} --all --dry-run
    greyhub home copy old_config.py new_config.py --user ada
    greyhub home copy s3://old/{username} s3://new/{username} --all --switch
    greyhub home copy pvc://hub/claim-{username} s3://homes/{username} --user ada --image IMAGE
    """  # noqa: D301
    with told():
        who = party(file)
        one, other = who.homes(source, source_options), who.homes(target, target_options)
        names = who.chosen(one, other, users, everyone)
        if not who.hubs and not stopped:
            raise click.UsageError(
                "no hub can be asked whether these users' servers run: give its config file with "
                "-f, or say --stopped if you know that they do not"
            )
        local = other.of(names[0] if names else "", remembered=False).directory
        if switch and (not who.platforms or local or names == [""]):
            raise click.UsageError("--switch needs the hub's -f, users, and a URL as DST")
        found = [
            _one(who, one, other, name, everyone, dry, not no_check, image, state, as_json)
            for name in names
        ]
        if switch and not dry:
            _switch(who, other, names, found)
    if as_json:
        print_json({"homes": found, "whole": all(each["whole"] for each in found)})
    else:
        for each in found:
            _say(each)
        if everyone and not found:
            click.echo(f"nobody has a home at {source}")
    good = all((dry and not each["failed"]) or each["whole"] for each in found)
    raise SystemExit(0 if good and not any(each["beside"] for each in found) else 1)


def _one(
    who: Party,
    one: PlatformHomes,
    other: PlatformHomes,
    name: str,
    everyone: bool,
    dry: bool,
    check: bool,
    image: str,
    state: str | None,
    quiet: bool,
) -> dict[str, Any]:
    """Copy one home; what became of it."""
    source, target = one.of(name, remembered=True), other.of(name, remembered=False)
    report = Copied(source.url, target.url, dry=dry)
    where = Path(state) if state else None
    try:
        if who.busy(name, source, target):
            raise HomeError(RUNS)
        if source.on_claim or target.on_claim:
            work = pods.Work(name, source, target, dry=dry, check=check, empty=everyone)
            with bar(name, hidden=quiet) as (progress, tick):
                report = pods.copy(work, _settings(one, other, who, image), progress, tick)
        else:
            with (
                bar(name, hidden=quiet) as (progress, tick),
                endpoints(source, target, where, check=check) as (here, there, journal),
            ):
                assert there is not None
                how: dict[str, Any] = {"progress": progress, "tick": tick, "workers": Workers()}
                copying = Copying(here, there, journal, **how)
                report = copying.report
                copying.run(dry=dry, empty=everyone)
        if who.busy(name, source, target):
            report.failed[""] = f"{RUNS}: it was started meanwhile"
    except FAILURES as error:
        report.failed[""] = said(error)
    return {"user": name, "whole": report.whole, **asdict(report)}


def _settings(one: PlatformHomes, other: PlatformHomes, who: Party, image: str) -> pods.PodSettings:
    """How the pod is made that copies: as the servers of the platform that has claims."""
    platforms = [other.adapter, one.adapter, *who.platforms.values()]
    configs = [each.parent.config for each in platforms if each is not None]
    pods_of = (each for each in configs if {"PodSpawner", "KubeSpawner"} & set(each))
    return pods.PodSettings.of(next(pods_of, {}), image)


def _switch(
    who: Party, other: PlatformHomes, names: Sequence[str], found: Sequence[Mapping[str, Any]]
) -> None:
    for name, each in zip(names, found, strict=True):
        for adapter in who.platforms.values():
            registry = PlatformHomes.of_platform(adapter).registry
            if each["whole"] and registry is not None:
                adapter.parent.make_state()
                registry.move(name, other.of(name, remembered=False).url)


def _say(each: Mapping[str, Any]) -> None:
    what = "would be copied" if each["dry"] else "copied"
    word = each["user"] or each["source"]
    click.echo(
        f"{word}: {each['files']:,} files, {human(each['bytes'])}: {each['copied']:,} {what}, "
        f"{each['same']:,} were there; {each['seconds']:.0f} s"
    )
    for path, name in each["beside"].items():
        there = f"something else is in {each['target']}"
        click.echo(f"  {path}: {there}" + (f", so it was copied as {name}" if name else ""))
    for path, why in each["failed"].items():
        click.echo(f"  {path}: {why}" if path else f"  {why}")
