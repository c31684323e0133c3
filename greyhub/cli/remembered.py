"""What ``greyhub backup`` and ``greyhub restore`` share: which hub, and where its state is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from greyhub.backup.archive import BackupError
from greyhub.errors import HomeError

CODES = "Exit codes: 0, it is done; 1, it cannot be done; 2, the command was called wrongly."


@dataclass(frozen=True)
class Remembered:
    """Where a hub keeps what it remembers."""

    private: Path
    database: Path | None = None
    """The database, where it is a file."""
    elsewhere: str = ""
    """The kind of a database that is none."""
    application: Any = None


def whose_state(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which hub."""
    file = click.option(
        "-f",
        "--file",
        type=click.Path(exists=True, dir_okay=False),
        help="The config file of the hub. [default: greyhub_config.py]",
    )
    state = click.option(
        "--state",
        type=click.Path(file_okay=False),
        help="In place of a config file: c.GreyHub.state_dir, the database being in it.",
    )
    return file(state(command))


def remembered(file: str | None, state: str | None) -> Remembered:
    """Where the hub of a config file, or of a state directory, keeps it."""
    if file and state:
        raise click.UsageError("-f and --state exclude each other")
    if state:
        return Remembered(Path(state).absolute() / "hub")
    from greyhub.cli.output import print_findings
    from greyhub.cli.reading import read

    file = file or "greyhub_config.py"
    if not Path(file).is_file():
        raise click.UsageError(f"there is no config file {file}: name it with -f, or give --state")
    reading = read(file)
    if reading.failed or reading.composition is None:
        print_findings([each for each in reading.findings if each.level == "error"], err=True)
        raise click.ClickException(f"no hub would start from {file}")
    app, private = reading.application, Path(reading.composition.greyhub.private)
    kind, _, path = app.db_url.partition("://")
    if kind.partition("+")[0] != "sqlite":
        return Remembered(private, elsewhere=kind.partition("+")[0], application=app)
    found = Path(path.removeprefix("/").partition("?")[0]).absolute()
    return Remembered(private, found, application=app)


@contextmanager
def told() -> Iterator[None]:
    """Print an error in a few lines, without a traceback."""
    try:
        yield
    except (BackupError, HomeError, OSError) as error:
        raise click.ClickException(str(error)) from error
