"""What the commands for homes share on the command line: options, errors, progress."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from greyhub.errors import HomeError
from greyhub.homespace.sync.progress import Progress

DEFAULT = "greyhub_config.py"

FAILURES = (HomeError, OSError, ImportError)
"""What is said in a few lines, without a traceback."""


class Options(click.ParamType[Any]):
    """Options of a URL's filesystem, as JSON."""

    name = "JSON"

    def convert(self, value: Any, param: Any, ctx: Any) -> Mapping[str, Any]:
        """Read them; a secret in them is refused later, and not repeated."""
        try:
            found = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            found = None
        if not isinstance(found, dict):
            self.fail('it is not a JSON object, such as {"anon": false}', param, ctx)
        return found


def whose(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which users, and which hub knows them."""
    for option in (
        click.option(
            "-f",
            "--file",
            type=click.Path(exists=True, dir_okay=False),
            help=f"The config file of the hub that knows the users. [default: {DEFAULT}]",
        ),
        click.option("--all", "everyone", is_flag=True, help="Everyone who has a home there."),
        click.option("-u", "--user", "users", multiple=True, help="This user; may be repeated."),
    ):
        command = option(command)
    return command


@contextmanager
def told() -> Iterator[None]:
    """Print an error in a few lines, without a traceback."""
    try:
        yield
    except FAILURES as error:
        raise click.ClickException(said(error)) from error


def said(error: BaseException) -> str:
    """A failure, for people."""
    if isinstance(error, ImportError):
        return (
            f"something that this kind of store needs is not installed here: {error}.\n"
            "  fix: pip install 'greyhub[s3]', [azure], [sftp] or [webdav], or the package "
            "that brings this kind of store"
        )
    return str(error)


@contextmanager
def bar(label: str, *, hidden: bool) -> Iterator[tuple[Progress, Callable[[], None]]]:
    """A progress bar on a terminal: how far, how fast, how long."""
    progress = Progress(time.monotonic)
    shown = not hidden and sys.stderr.isatty()
    line: Any = click.progressbar(
        length=1000,
        label=label,
        file=sys.stderr,
        hidden=not shown,
        show_eta=False,
        item_show_func=lambda _: str(progress),
    )
    with line as drawn:

        def tick() -> None:
            part = progress.bytes / progress.size if progress.size else 1.0
            part = (part + progress.done / max(1, progress.files)) / 2
            drawn.update(max(0, int(1000 * part) - drawn.pos), progress)

        yield progress, tick
