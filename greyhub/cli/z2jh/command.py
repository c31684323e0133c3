"""``greyhub init --from-z2jh``: write the files, and say what became of each value."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from greyhub.cli.z2jh import render
from greyhub.cli.z2jh.move import move
from greyhub.cli.z2jh.moving import Moving
from greyhub.cli.z2jh.secrets import KEPT
from greyhub.cli.z2jh.values import read
from greyhub.errors import ConfigError

VALUES: Final = "greyhub_values.yaml"
"""The chart's values, beside the config file."""


def move_from_z2jh(
    files: Sequence[Path], config: Path, version: str, *, force: bool, secrets: bool
) -> None:
    """Write both files, or print the Secrets alone.

    Raises
    ------
    click.ClickException
        A file cannot be read or written, or is there already.
    """
    try:
        moving = move(read(files), version)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if secrets:
        if sys.stdout.isatty():
            raise click.ClickException(
                f"secrets are for kubectl, not for a screen\n  fix: {_secrets(files)}"
            )
        click.echo(moving.secrets.manifests())
        return
    names = [each.name for each in files]
    values = config.parent / VALUES
    texts = {
        config: render.config(moving, names),
        values: render.values(moving, names, config.name),
    }
    if not force and (there := next(filter(Path.exists, texts), None)):
        raise click.ClickException(f"{there} is there already; --force writes over it")
    try:
        for path, text in texts.items():
            path.write_text(text)
    except OSError as error:
        said = f"{error.filename} cannot be written: {error.strerror}"
        raise click.ClickException(said) from error
    _report(moving)
    _next(moving, files, config, values)


def _report(moving: Moving) -> None:
    """What became of each value that the files have."""
    titles = {
        "moved": ("Taken over", "to"),
        "unneeded": ("Not needed here", "since"),
        "left": ("Not taken over", "instead"),
    }
    given = [each for each in moving.outcomes if each.given]
    for kind, (title, word) in titles.items():
        found = [each for each in given if each.kind == kind]
        if found:
            click.echo(click.style(f"{title} ({len(found)})", bold=True))
        for each in found:
            click.echo(f"  {each.path}\n      {word}: {each.said}")
    reviewed = [each for each in moving.outcomes if each.review]
    if reviewed:
        click.echo(click.style(f"To review ({len(reviewed)})", bold=True))
    for each in reviewed:
        default = "" if each.given else ", z2jh's default"
        click.echo(f"  {each.path}{default}\n      {each.review}")


def _next(moving: Moving, files: Sequence[Path], config: Path, values: Path) -> None:
    click.echo(f"{config}, {values} are written.")
    if moving.secrets.data:
        names = ", ".join(moving.secrets.data)
        click.echo(f"Make what is secret, which is in no file ({names}):\n  {_secrets(files)}")
    if moving.unknown:
        data = ", ".join(f'{name}: .data["{key}"]' for name, key in moving.unknown.items())
        click.echo(
            f"Keep what z2jh has made by itself, while it is there:\n"
            f"  kubectl get secret hub -o json | jq '{{apiVersion, kind, type, metadata: "
            f'{{name: "{KEPT}"}}, data: {{{data}}}}}\' | kubectl apply --server-side -f -'
        )
    if "url" not in moving.chart:
        click.echo("The address of the platform is not known: add --set url=https://…")
    if not moving.chart.get("notebook"):
        click.echo("z2jh's own image of servers is of no use here: add --set notebook.image=…")
    click.echo(f"Is it right? greyhub check -f {shlex.quote(str(config))}")
    click.echo(
        "Install it, as docs/how-to/move-from-z2jh.md says:\n"
        f"  helm install greyhub charts/greyhub -f {shlex.quote(str(values))} --set-file "
        f"config={shlex.quote(str(config))} --set hub.image=…"
    )


def _secrets(files: Sequence[Path]) -> str:
    given = " ".join(f"--from-z2jh {shlex.quote(str(each))}" for each in files)
    return f"greyhub init {given} --secrets | kubectl apply --server-side -f -"
