"""What the provider keeps of logins, and what can go wrong: requests, codes, grants, faults."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event

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
