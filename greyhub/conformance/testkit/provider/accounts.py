"""What the provider knows: accounts, grants, requests, and the faults it is told to have."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from greyhub.conformance.testkit.provider.tokens import LIFETIME, Key

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


FAULTS = {
    "error": "the endpoint answers 500",
    "unavailable": "the endpoint answers 503",
    "rejected": "the endpoint refuses: 400 invalid_grant for a token, else 401",
    "nonsense": "the endpoint answers 200 with a page of HTML",
    "empty": "the endpoint answers 200 with nothing",
    "bare": "the token endpoint forgets the access token, not the others",
    "reset": "the connection is closed before an answer",
    "lost": "the request is served, and the connection is closed before the answer",
    "hang": "no answer comes while the fault lasts, nor after",
    "hold": "the request waits until the fault is over, and is then served",
}
"""Every fault by name, and what happens then."""

LIES = {
    "aud": "the ID token is for another client",
    "another aud": "the ID token is for a client whose name begins like this one's",
    "iss": "the ID token is another issuer's",
    "another iss": "the ID token's issuer begins like the right one",
    "exp": "the ID token's time is over",
    "none": "the ID token has no signature: alg=none",
    "HS256": "the ID token takes the public key for a shared secret",
    "foreign": "the ID token is signed with another key",
}
"""Every false ID token by name, and what is false about it."""

MANY = 200
"""Groups that fit into a token; with more, Entra names a place to ask instead."""


@dataclass
class Seen:
    """A request that reached the provider."""

    endpoint: str
    """``authorize``, ``token``, ``userinfo`` … or the path of anything else."""
    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: Mapping[str, str]
    fault: str = ""
    at: float = field(default_factory=time.monotonic)


@dataclass
class Code:
    """An authorization code: good once, for one client, address and verifier."""

    subject: str
    redirect_uri: str
    challenge: str
    scope: str
    nonce: str = ""
    used: bool = False


@dataclass
class Grant:
    """What one login has brought: tokens, until they expire or are revoked."""

    subject: str
    scope: str
    access: str = field(default_factory=lambda: f"access-{secrets.token_urlsafe(24)}")
    refresh: str = field(default_factory=lambda: f"refresh-{secrets.token_urlsafe(24)}")
    access_ended: bool = False
    refresh_ended: bool = False
    audience: str = ""
    """What the access token is for; empty if for the provider's own endpoints."""


@dataclass
class Fault:
    """A fault under way at one endpoint."""

    endpoint: str
    kind: str
    left: float
    hit: Event = field(default_factory=Event)
    over: Future[None] = field(default_factory=Future)


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
