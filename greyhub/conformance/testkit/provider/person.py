"""Somebody with an account at the provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DOMAIN = "people.example"
"""The domain of everybody's e-mail, unless a clause says otherwise."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account in the backend."""

    name: str
    """How they are called there: what the hub's name is made from."""

    subject: str = ""
    """What never changes about them, and is nobody else's; by default made from the name."""

    email: str = ""
    """By default, the name at `DOMAIN`."""

    email_verified: bool | str | None = True
    """What the provider says of the e-mail; None if it says nothing."""

    groups: Any = ()
    """Their groups. A clause may put what is no list of names here."""

    admin: bool = False
    """Whether the clause has named them in ``admin_users``."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    """What else the provider says of them; comes before what the suite's `statement` says."""

    without: tuple[str, ...] = ()
    """What the provider leaves out of its statement."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", self.subject or f"subject-of-{self.name}")
        object.__setattr__(self, "email", self.email or f"{self.name}@{DOMAIN}")

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def standard(self) -> dict[str, Any]:
        """OpenID Connect's standard claims."""
        groups = list(self.groups) if isinstance(self.groups, tuple) else self.groups
        claims = {
            "sub": self.subject,
            "preferred_username": self.name,
            "name": self.name.title(),
            "email": self.email,
            "email_verified": self.email_verified,
            "groups": groups,
        }
        if self.email_verified is None:
            del claims["email_verified"]
        return claims
