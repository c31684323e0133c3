"""``greyhub home copy``: copy homes to another backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from greyhub.cli.home_copying import copy_home, switch_hub
from greyhub.cli.home_options import Options, told, whose
from greyhub.cli.homes import party
from greyhub.cli.output import print_json
from greyhub.homespace.sync.progress import human


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
            copy_home(who, one, other, name, everyone, dry, not no_check, image, state, as_json)
            for name in names
        ]
        if switch and not dry:
            switch_hub(who, other, names, found)
    if as_json:
        print_json({"homes": found, "whole": all(each["whole"] for each in found)})
    else:
        for each in found:
            _say(each)
        if everyone and not found:
            click.echo(f"nobody has a home at {source}")
    good = all((dry and not each["failed"]) or each["whole"] for each in found)
    raise SystemExit(0 if good and not any(each["beside"] for each in found) else 1)


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
