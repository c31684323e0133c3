"""The rules by which a login is given a name. Nothing here asks a database."""

from __future__ import annotations

import shlex
from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

LONGEST = 255
"""Characters of an issuer, a subject or a name, as the database keeps them."""

SHOWN = 60
"""Characters of what is refused that a log gets."""


class Identity(NamedTuple):
    """Who somebody is, for one authenticator."""

    issuer: str
    """The OpenID issuer's URL, or a short word for another authenticator."""
    subject: str
    """What never changes about the person there, as OpenID's ``sub``; or else a name."""


@dataclass(frozen=True)
class NameRecord:
    """What is known of a name that a login asks for."""

    kept: bool
    """Whether it is, or was, a user's."""
    issuers: Set[str] = frozenset()
    """Of the identities that have it."""
    claimable_by: str = ""
    """The issuer that was in force when the user was added, if nobody has logged in since."""


class NameTaken(Exception):
    """A name that a login asks for is another person's.

    Parameters
    ----------
    identity : Identity
        Who logs in.
    name : str
        The name that their authenticator gives them.
    issuers : set of str
        Of the identities that have it.
    """

    def __init__(self, identity: Identity, name: str, issuers: Set[str] = frozenset()) -> None:
        super().__init__(identity, name, issuers)
        self.identity, self.name, self.issuers = identity, name, issuers

    def __str__(self) -> str:
        theirs = f"of {', '.join(sorted(self.issuers))}" if self.issuers else "of this hub"
        return (
            f"{self.identity.issuer} gives the name {self.name!r} to {self.identity.subject!r}, "
            f"and a user {theirs} has it.\n  fix: if both are one person: {self.command}"
        )

    @property
    def command(self) -> str:
        """What joins the two."""
        issuer, subject = map(shlex.quote, self.identity)
        return f"greyhub users map {shlex.quote(self.name)} --issuer {issuer} --subject {subject}"


def checked(identity: Identity) -> Identity:
    """The identity, if it can be kept.

    Raises
    ------
    ValueError
        A part is no text, is empty or too long, or holds what does not print.
    """
    for part in identity:
        if not isinstance(part, str) or not part.isprintable() or not 0 < len(part) <= LONGEST:
            shown = repr(part)[:SHOWN]
            raise ValueError(f"{shown} is nothing by which a person can be known")
    return Identity(*identity)


def may_have(issuer: str, name: NameRecord, sources: Set[str]) -> bool:
    """Whether a login that was never seen is given the name that it asks for.

    Parameters
    ----------
    issuer : str
        Of the login.
    name : NameRecord
        What is known of the name.
    sources : set of str
        Issuers whose names this one's logins may have: the administrator has said that the
        same name is the same person.
    """
    if not name.kept:
        return True
    if issuer in name.issuers:
        return False  # it is another person's of the same issuer
    if not name.issuers and name.claimable_by == issuer:
        return True
    return bool(sources & {*name.issuers, name.claimable_by})
