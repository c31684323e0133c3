"""A hub's database for the tests, as far as identities need it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from greyhub.identity.table import Identities

SCHEMA = (
    "create table users (id integer primary key, name text unique)",
    "create table servers (id integer primary key)",
    "create table spawners (user_id integer, name text, server_id integer)",
)


@contextmanager
def identities(where: Path | None = None, *users: str) -> Iterator[Identities]:
    """The tables in a new database, or in the one that is there; in memory without a path."""
    engine = create_engine(f"sqlite:///{where}" if where else "sqlite://")
    new = where is None or not where.exists()
    with Session(engine, expire_on_commit=False) as session:
        if new:
            for line in SCHEMA:
                session.execute(text(line))
            session.commit()
        found = Identities(session)
        found.create()
        add(found, *users)
        yield found
    engine.dispose()


def add(found: Identities, *users: str) -> None:
    """Users of JupyterHub's, whom nobody has noted."""
    for user in users:
        found.session.execute(text("insert into users (name) values (:name)"), {"name": user})
    found.session.commit()


def users(found: Identities) -> set[str]:
    """The names of JupyterHub's users."""
    return set(found.session.scalars(text("select name from users")))


def run_server(found: Identities, user: str) -> None:
    """A server of a user, as the hub notes it."""
    statement = "insert into spawners select id, '', 7 from users where name = :user"
    found.session.execute(text(statement), {"user": user})
    found.session.commit()
