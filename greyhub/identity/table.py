"""The tables of identities, in the hub's own database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import (
    Column,
    MetaData,
    Table,
    Unicode,
    column,
    delete,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from greyhub.identity.rules import LONGEST, Identity, NameRecord, NameTaken, checked, may_have

METADATA = MetaData()
"""Not JupyterHub's own: its check of the schema looks at its own tables only."""

ROWS = Table(
    "greyhub_identities",
    METADATA,
    Column("issuer", Unicode(LONGEST), primary_key=True),
    Column("subject", Unicode(LONGEST), primary_key=True),
    Column("name", Unicode(LONGEST), nullable=False),
)
"""Who has which name. Several rows may have one name: a person with several logins."""

NAMES = Table(
    "greyhub_names",
    METADATA,
    Column("name", Unicode(LONGEST), primary_key=True),
    Column("claimable_by", Unicode(LONGEST), nullable=False, default=""),
    Column("became", Unicode(LONGEST), nullable=False, default=""),
)
"""Every name that is or was a user's; what it became, if it was renamed or merged."""

SAME_NAMES = Table(
    "greyhub_same_names",
    METADATA,
    Column("source", Unicode(LONGEST), primary_key=True),
    Column("target", Unicode(LONGEST), primary_key=True),
)
"""Issuers whose names another issuer's logins may have."""

USERS = table("users", column("name"))
"""JupyterHub's."""

Issuer = str | Callable[[str], str]


class Identities:
    """Who has which name on a hub.

    Parameters
    ----------
    session : sqlalchemy.orm.Session
        On the hub's database: in the hub, its own, so that neither waits for the other.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def create(self) -> None:
        """Make the tables that are not there; two processes may do so at once."""
        for each in METADATA.sorted_tables:
            statement = CreateTable(each, if_not_exists=True)
            try:
                with self.session.begin_nested():
                    self.session.execute(statement)
            except (IntegrityError, ProgrammingError):
                # PostgreSQL looks, and then makes it: another process came between.
                self.session.execute(statement)
        self.session.commit()

    def note_users(self, issuer: Issuer, names: Iterable[str] | None = None) -> None:
        """Users whom nobody has noted are this issuer's: it was in force when they were added.

        Parameters
        ----------
        issuer : str or callable
            The issuer that is in force, or what tells it of a name: empty if nobody knows.
        names : iterable of str, optional
            The users; by default all that the hub has.
        """
        if names is None:
            noted = set(self.session.scalars(select(NAMES.c.name)))
            names = set(self.session.scalars(select(USERS.c.name))) - noted
        for name in sorted(names):
            theirs = issuer(name) if callable(issuer) else issuer
            self._insert(NAMES, name=name, claimable_by=theirs, became="")
        self.session.commit()

    def find(self, identity: Identity) -> str | None:
        """The name of somebody who has one."""
        found = self.session.execute(select(ROWS).where(*_is(identity)))
        # A database may take two spellings for one.
        return next((name for *row, name in found if Identity(*row) == identity), None)

    def claim(self, identity: Identity, name: str) -> str:
        """The name of somebody who logs in: the one that they have, or else this one for good.

        Raises
        ------
        NameTaken
            It is another person's.
        ValueError
            The identity, or the name, cannot be kept.
        """
        checked(Identity(identity.issuer, name))
        if (known := self.find(checked(identity))) is not None:
            return known
        if not self._insert(ROWS, issuer=identity.issuer, subject=identity.subject, name=name):
            known = self.find(identity)
            self.session.commit()
            if known is None:
                raise NameTaken(identity, name)
            return known
        # From here on, who else wants the name waits until this is decided.
        user = self.session.scalar(select(USERS.c.name).where(USERS.c.name == name))
        new = self._insert(NAMES, name=name, claimable_by="", became="")
        if not new:
            self.session.execute(update(NAMES).where(NAMES.c.name == name).values(name=name))
        record = self.record(name, apart_from=identity)
        sources = frozenset(
            self.session.scalars(
                select(SAME_NAMES.c.source).where(SAME_NAMES.c.target == identity.issuer)
            )
        )
        free = new and user is None
        if not free and not may_have(identity.issuer, record, sources):
            self.session.execute(delete(ROWS).where(*_is(identity)))
            self.session.commit()
            raise NameTaken(identity, name, record.issuers)
        self.session.execute(update(NAMES).where(NAMES.c.name == name).values(claimable_by=""))
        self.session.commit()
        return name

    def record(self, name: str, *, apart_from: Identity | None = None) -> NameRecord:
        """What is known of a name."""
        rows = self.session.execute(select(ROWS).where(ROWS.c.name == name))
        issuers = {issuer for issuer, subject, _ in rows if (issuer, subject) != apart_from}
        entry = self.session.execute(select(NAMES).where(NAMES.c.name == name)).first()
        return NameRecord(entry is not None, issuers, entry.claimable_by if entry else "")

    def rows(self) -> dict[Identity, str]:
        """Every identity's name."""
        found = self.session.execute(select(ROWS).order_by(ROWS.c.name, ROWS.c.issuer))
        return {Identity(issuer, subject): name for issuer, subject, name in found}

    def names(self) -> dict[str, tuple[str, str]]:
        """Every name that is or was a user's: by whom it can be claimed, and what it became."""
        found = self.session.execute(select(NAMES).order_by(NAMES.c.name))
        return {name: (claimable_by, became) for name, claimable_by, became in found}

    def same_names(self) -> set[tuple[str, str]]:
        """Pairs of issuers: the names of the first may be had by the second's logins."""
        return {(source, target) for source, target in self.session.execute(select(SAME_NAMES))}

    def map(self, identity: Identity, name: str) -> None:
        """An administrator says that somebody has a name, whatever they had before."""
        checked(identity)
        self._insert(NAMES, name=name, claimable_by="", became="")
        if not self._insert(ROWS, issuer=identity.issuer, subject=identity.subject, name=name):
            self.session.execute(update(ROWS).where(*_is(identity)).values(name=name))
        values = {"claimable_by": "", "became": ""}
        self.session.execute(update(NAMES).where(NAMES.c.name == name).values(values))
        self.session.commit()

    def allow_same_names(self, source: str, target: str, *, allowed: bool = True) -> None:
        """The names of one issuer may be had by another's logins, or no longer."""
        if allowed:
            self._insert(SAME_NAMES, source=source, target=target)
        else:
            rule = (SAME_NAMES.c.source == source, SAME_NAMES.c.target == target)
            self.session.execute(delete(SAME_NAMES).where(*rule))
        self.session.commit()

    def become(self, old: str, new: str, *, user_too: bool = False) -> None:
        """All who have one name have another from now on; nobody has the old one.

        Parameters
        ----------
        old, new : str
            The names.
        user_too : bool
            Whether JupyterHub's user is renamed as well.
        """
        for name in (old, new):
            self._insert(NAMES, name=name, claimable_by="", became="")
        self.session.execute(update(ROWS).where(ROWS.c.name == old).values(name=new))
        values = {"claimable_by": "", "became": new}
        self.session.execute(update(NAMES).where(NAMES.c.name == old).values(values))
        values["became"] = ""
        self.session.execute(update(NAMES).where(NAMES.c.name == new).values(values))
        if user_too:
            self.session.execute(update(USERS).where(USERS.c.name == old).values(name=new))
        self.session.commit()

    def _insert(self, into: Table, **values: Any) -> bool:
        """Add a row that is not there; whether it was added."""
        dialect = self.session.get_bind().dialect.name
        if dialect == "postgresql":
            added = postgresql.insert(into).values(values).on_conflict_do_nothing()
            return self.session.execute(added.returning(*into.primary_key)).first() is not None
        statement = insert(into).values(values).prefix_with("OR IGNORE", dialect="sqlite")
        for name in ("mysql", "mariadb"):
            statement = statement.prefix_with("IGNORE", dialect=name)
        count: int = self.session.execute(statement).rowcount  # type: ignore[attr-defined]
        if count not in (0, 1):
            raise RuntimeError(f"{dialect} does not say whether a row was added: {count}")
        return count == 1


def _is(identity: Identity) -> tuple[Any, Any]:
    return ROWS.c.issuer == identity.issuer, ROWS.c.subject == identity.subject
