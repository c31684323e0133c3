"""The last starts of servers, in the hub's own database. Nothing in it names a user."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    Table,
    Unicode,
    delete,
    insert,
    inspect,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

KEPT: Final = 500
"""How many starts are kept; older ones are deleted."""

METADATA: Final = MetaData()
"""Not JupyterHub's own: its check of the schema looks at its own tables only."""

STARTS: Final = Table(
    "greyhub_starts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("ended", Float, nullable=False),
    Column("profile", Unicode(255), nullable=False),
    Column("image", Unicode(512), nullable=False),
    Column("image_bytes", BigInteger),
    Column("cold", Boolean),
    Column("seconds", Float, nullable=False),
    Column("phases", JSON, nullable=False),
    Column("failure", Unicode(64), nullable=False),
)


@dataclass(frozen=True)
class Start:
    """One start of a server."""

    profile: str
    """The profile's name; empty where there are none."""
    seconds: float
    """From the preparation until the server could be used, or the failure."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds by phase: `greyhub.starts.report.PHASES`."""
    cold: bool | None = None
    image: str = ""
    image_bytes: int | None = None
    failure: str = ""
    """Why it failed, in a word; empty if it did not."""
    ended: float = field(default_factory=time.time)
    """When, in seconds since the epoch."""


def add(session: Session, start: Start) -> None:
    """Keep a start, and as many before it as are to be kept."""
    session.execute(CreateTable(STARTS, if_not_exists=True))
    values = {
        column.name: getattr(start, column.name) for column in STARTS.c if column.name != "id"
    }
    values |= {
        "profile": start.profile[:255],
        "image": start.image[:512],
        "failure": start.failure[:64],
        "phases": dict(start.phases),
    }
    session.execute(insert(STARTS).values(values))
    oldest = select(STARTS.c.id).order_by(STARTS.c.id.desc()).offset(KEPT).limit(1)
    if (last := session.scalar(oldest)) is not None:
        session.execute(delete(STARTS).where(STARTS.c.id <= last))
    session.commit()


def read(database: Connection | Session, last: int = KEPT) -> list[Start]:
    """The last starts, the newest first; none where no hub has kept any."""
    connection = database.connection() if isinstance(database, Session) else database
    if not inspect(connection).has_table(STARTS.name):
        return []
    query = select(STARTS).order_by(STARTS.c.id.desc()).limit(last)
    return [_start(dict(row._mapping)) for row in connection.execute(query)]


def _start(row: dict[str, Any]) -> Start:
    del row["id"]
    return Start(**row)
