"""What the provider knows: accounts, grants, requests, and the faults it is told to have."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.provider.person import Person
from greyhub.conformance.testkit.provider.records import FAULTS, LIES, Code, Fault, Grant, Seen
from greyhub.conformance.testkit.provider.tokens import LIFETIME, Key

MANY = 200
"""Groups that fit into a token; with more, Entra names a place to ask instead."""


class Accounts:
    """A provider's memory: who has an account, what was granted, and what goes wrong.

    Parameters
    ----------
    statement : callable
        What is said of a person, in userinfo and in the ID token.
    api : callable
        What the provider's own API answers at a path, to a person's access
        token: a value for JSON, a `Reply`, or None if there is no such path.
    """

    url: str
    """Where the provider is; known once it serves."""

    ca: Path
    """The file of its authority, where it speaks TLS."""

    client_id = "conformance"

    mint: Callable[[Person, str], str] | None
    """Makes the access tokens for an audience, where a service reads them; else they are words."""

    lifetime: float
    """Seconds that these are good for."""

    def __init__(
        self,
        statement: Callable[[Person], Mapping[str, Any]] = Person.standard,
        api: Callable[[str, Person], Any] = lambda path, person: None,
    ) -> None:
        self._statement, self.api = statement, api
        self.forget()

    def forget(self) -> None:
        """Begin anew: nobody has an account, nothing was granted, nothing goes wrong."""
        self.client_secret = f"secret-{secrets.token_urlsafe(24)}"
        self.people: dict[str, Person] = {}
        self.audiences: set[str] = set()
        self.mint: Callable[[Person, str], str] | None = None
        self.lifetime = LIFETIME
        self.disabled: set[str] = set()
        self.codes: dict[str, Code] = {}
        self.grants: list[Grant] = []
        self.faults: list[Fault] = []
        self.lie = ""
        self.overage = False
        self.seen: list[Seen] = []
        self.key, self.foreign = Key(1), Key(0)

    # what an adapter is configured with

    @property
    def names(self) -> dict[str, str]:
        """What stands for ``{authorize}``, ``{client_secret}`` … in a suite's config."""
        endpoints = {name: f"{self.url}/{name}" for name in ("authorize", "token", "userinfo")}
        return {
            **endpoints,
            "jwks": f"{self.url}/jwks",
            "logout": f"{self.url}/logout",
            "issuer": self.url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "ca": str(self.ca),
        }

    # what happens to accounts and tokens

    def enrol(self, person: Person) -> Person:
        """Make somebody an account, or change the account with this subject."""
        self.people[person.subject] = person
        return person

    def disable(self, person: Person) -> None:
        """Close an account: no token of it is good any more, and none is given."""
        self.disabled.add(person.subject)
        self.revoke(person)

    def expire(self, person: Person) -> None:
        """Let the access tokens of somebody expire; the refresh tokens stay good."""
        for grant in self._grants_of(person):
            grant.access_ended = True

    def revoke(self, person: Person) -> None:
        """Revoke every token of somebody."""
        for grant in self._grants_of(person):
            grant.access_ended = grant.refresh_ended = True

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one is not listed any more."""
        self.key = Key(int(self.key.kid.rpartition("-")[2]) + 1)

    def secrets(self) -> list[str]:
        """All that nobody but the hub and the provider may read."""
        return [
            self.client_secret,
            *self.codes,
            *(token for grant in self.grants for token in (grant.access, grant.refresh)),
        ]

    def is_good(self, access: str) -> bool:
        """Whether an access token would be accepted now."""
        return self.bearer(access) is not None

    def asked(self, endpoint: str) -> list[Seen]:
        """The requests that an endpoint has seen."""
        return [each for each in self.seen if each.endpoint == endpoint]

    def _grants_of(self, person: Person) -> list[Grant]:
        return [grant for grant in self.grants if grant.subject == person.subject]

    # what goes wrong

    @contextmanager
    def fault(self, endpoint: str, kind: str, *, times: int | None = None) -> Iterator[Fault]:
        """Break an endpoint while a block lasts; see `FAULTS`."""
        if kind not in FAULTS:
            raise ValueError(f"{kind!r} is no fault: there are {', '.join(FAULTS)}")
        fault = Fault(endpoint, kind, float("inf") if times is None else times)
        self.faults.append(fault)
        try:
            yield fault
        finally:
            if fault in self.faults:
                self.faults.remove(fault)
            fault.over.set_result(None)

    @contextmanager
    def lying(self, lie: str) -> Iterator[None]:
        """Give false ID tokens while a block lasts; see `LIES`."""
        if lie not in LIES:
            raise ValueError(f"{lie!r} is no lie: there are {', '.join(LIES)}")
        self.lie = lie
        try:
            yield
        finally:
            self.lie = ""

    # what it says

    def statement(self, person: Person) -> dict[str, Any]:
        """What is said of a person now, in the suite's dialect."""
        said = {**self._statement(person), **person.claims}
        groups = said.get("groups")
        if self.overage and isinstance(groups, list) and len(groups) > MANY:
            del said["groups"]
            place = f"{self.url}/v1.0/users/{person.subject}/getMemberObjects"
            said["_claim_names"] = {"groups": "src1"}
            said["_claim_sources"] = {"src1": {"endpoint": place}}
        return {name: value for name, value in said.items() if name not in person.without}

    def bearer(self, access: str) -> Person | None:
        """Whose access token it is, if it is good for the provider's own endpoints."""
        return self.holder(access, "")

    def holder(self, access: str, audience: str) -> Person | None:
        """Whose access token for an audience it is, if it is good."""
        for grant in self.grants:
            if (grant.access, grant.audience) == (access, audience) and not grant.access_ended:
                return self.people.get(grant.subject)
        return None
