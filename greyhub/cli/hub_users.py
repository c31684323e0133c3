"""What the commands for users share: the hub of a config file, its database and its homes."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import click

from greyhub.class_names import ON_HUB, made_from
from greyhub.cli.home_options import FAILURES, said
from greyhub.errors import HomeError
from greyhub.homespace.adapter import HomespaceAdapter
from greyhub.hub_database import HubDatabase
from greyhub.identity.moves import Move, unfinished
from greyhub.identity.rules import LONGEST
from greyhub.identity.table import NAMES, Identities

dry_option = click.option("--dry-run", "dry", is_flag=True, help="Only say what would change.")


@dataclass
class HubUsers:
    """The users of one hub."""

    file: str
    application: Any
    platform: Any
    """`greyhub.checks.platform.Platform`."""
    identities: Identities
    database: HubDatabase

    @property
    def homes(self) -> HomespaceAdapter | None:
        """Where homes are, if greyhub keeps them."""
        found = self.platform.adapters.get("homespace")
        return found if isinstance(found, HomespaceAdapter) else None

    @property
    def private(self) -> Path:
        """The hub's private state."""
        return Path(self.platform.greyhub.private)

    @property
    def accounts(self) -> bool:
        """Whether a server runs as the account of this machine that has the user's name."""
        cls = self.platform.spawner
        return made_from(cls, *ON_HUB) and not made_from(cls, "LocalSpawner")

    def is_valid(self, user: str) -> bool:
        """Whether the hub's authenticator lets a user have this name."""
        made = self.platform.dry_instance(self.platform.authenticator)
        valid = user.isprintable() and len(user) <= LONGEST and made.validate_username(user)
        return bool(valid)

    def home_of(self, user: str) -> str:
        """Where a user's home is or would be; "" if that cannot be told."""
        try:
            return self.homes.home_of(user) if self.homes else ""
        except FAILURES:
            return ""

    def running(self) -> dict[str, list[str]]:
        """The servers that run, start or stop, and the clusters of the hub's broker, by user."""
        found: dict[str, list[str]] = {}
        for user, name in sorted(self.database.servers()):
            found.setdefault(user, []).append(f"{user}'s server {name}".rstrip())
        path = self.private / "clusters.sqlite"
        if path.exists():
            query = "select username, name from clusters where stop_time is null order by name"
            with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
                for user, name in database.execute(query):
                    found.setdefault(user, []).append(f"{user}'s cluster {name}")
        return found

    def check_is_known(self, user: str) -> None:
        """Raise where nobody has, or had, this name."""
        known = {*self.database.users(), *self.identities.names()}
        if user not in known:
            raise HomeError(
                f"this hub has no user {user}.\n  fix: greyhub users list shows all; a new user "
                "is added on the hub's admin page, or by logging in"
            )

    def to_be_stopped(self, *users: str) -> str:
        """The servers and clusters of these users that run, for people."""
        runs = self.running()
        return ", ".join(each for user in users for each in runs.get(user, ()))

    def check_nothing_runs(self, *users: str) -> None:
        """Raise while servers or clusters of these users run."""
        if found := self.to_be_stopped(*users):
            raise HomeError(
                f"these run: {found}.\n  fix: stop them, and run the same command again"
            )

    def check_account(self) -> None:
        """Raise where another account than the hub's would write its files."""
        check_account(self.private)

    def check_stopped(self) -> None:
        """Raise if the hub runs; see `check_stopped`."""
        check_stopped(self.application)


def check_account(directory: Path) -> None:
    """Raise where another account than the hub's would write into its directory."""
    if directory.exists() and os.geteuid() != (owner := directory.stat().st_uid):
        raise HomeError(
            f"{directory} is of the account with the uid {owner}, which the hub runs as.\n"
            "  fix: run this command as that account"
        )


def check_stopped(app: Any) -> None:
    """Raise if the hub of a configuration runs, as far as that can be told from here.

    A hub that runs holds the names of its users in its memory.
    """
    url = app.hub_connect_url or app.hub_bind_url
    address = urlsplit(url) if url else None
    host = (address and address.hostname) or app.hub_connect_ip or app.hub_ip
    port = (address and address.port) or app.hub_port
    known = host in ("127.0.0.1", "::1", "localhost")
    try:
        with socket.create_connection((host if known else host or "127.0.0.1", port), 5):
            raise HomeError(
                f"the hub runs: something listens at {host}:{port}, and a hub that runs holds "
                "the names of its users.\n  fix: stop the hub, which lets servers go on, and "
                "run the same command again"
            )
    except ConnectionRefusedError:
        if known:
            return
    except OSError:
        pass
    raise HomeError(
        f"it cannot be told from here whether the hub at {host or 'every address'}:{port} "
        "runs.\n  fix: stop it, and say --stopped"
    )


@contextmanager
def hub_users(file: str) -> Iterator[HubUsers]:
    """The users of a config file's hub; what goes wrong is said in a few lines."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    from greyhub.cli.output import print_findings
    from greyhub.cli.reading import read

    reading = read(file)
    if reading.failed or reading.composition is None:
        print_findings([each for each in reading.findings if each.level == "error"], err=True)
        raise click.ClickException(f"no hub would start from {file}")
    url = reading.application.db_url
    path = url.removeprefix("sqlite:///").partition("?")[0]
    missing = HomeError(
        f"the hub of {file} has not noted its users yet.\n  fix: start it once with this version"
    )
    try:
        if url.startswith("sqlite:///") and not Path(path).exists():
            raise missing
        engine = create_engine(url, **reading.application.db_kwargs)
        try:
            if not inspect(engine).has_table(NAMES.name):
                raise missing
            with Session(engine) as session:
                yield HubUsers(
                    file,
                    reading.application,
                    reading.composition.platform,
                    Identities(session),
                    HubDatabase(url),
                )
        finally:
            engine.dispose()
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        needs = f" needs {error.name}" if isinstance(error, ModuleNotFoundError) else ""
        raise click.ClickException(
            f"the hub's database does not tell who its users are: {type(error).__name__}{needs}.\n"
            "  fix: look at c.JupyterHub.db_url, and at what is installed here"
        ) from error
    except (*FAILURES, sqlite3.Error) as error:
        raise click.ClickException(said(error)) from error


def begun(hub: HubUsers, command: str) -> Move | None:
    """The move that this very command has begun before, and not finished.

    Raises
    ------
    greyhub.errors.HomeError
        Another command has.
    """
    found = unfinished(hub.private)
    if found and found.command != command:
        raise HomeError(f"a command was not finished: {found.command}.\n  fix: run it again first")
    return found


def is_now(hub: HubUsers, name: str) -> str:
    """What a name has become by renames and merges; itself, if it was never changed."""
    names, seen = hub.identities.names(), {""}
    while name not in seen:
        seen.add(name)
        name = names.get(name, ("", ""))[1] or name
    return name
