"""The provider's endpoints: a reply for each request."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from tornado.httputil import HTTPServerRequest

from greyhub.conformance.testkit.provider import tokens
from greyhub.conformance.testkit.provider.accounts import Accounts
from greyhub.conformance.testkit.provider.person import Person
from greyhub.conformance.testkit.provider.records import Code, Grant, Seen

NAMED = {
    "/.well-known/openid-configuration": "discovery",
    "/jwks": "jwks",
    "/authorize": "authorize",
    "/token": "token",
    "/userinfo": "userinfo",
    "/revoke": "revoke",
    "/logout": "logout",
}

WHO = "X-Person"
"""The header by which the suite's browser says who sits before it."""

TOKEN_TYPE = "urn:ietf:params:oauth:token-type"  # noqa: S105
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"

PAGE = 100
"""Groups on one page of Graph's."""


@dataclass
class Reply:
    """A status, a body and headers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def give(value: Any, status: int = 200) -> Reply:
    """A reply of JSON."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Reply(status, json.dumps(value).encode(), headers)


def refuse(error: str, status: int = 400) -> Reply:
    """An error as OAuth 2 writes it."""
    reply = give({"error": error, "error_description": f"refused: {error}"}, status)
    if status == 401:
        reply.headers["WWW-Authenticate"] = f'Bearer error="{error}"'
    return reply


def read(request: HTTPServerRequest) -> Seen:
    """A request in plain values."""
    form = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
    # GitLab and GitHub Enterprise have their endpoints elsewhere: the last word counts.
    name = NAMED.get(request.path) or OTHER.get(request.path.rpartition("/")[2], request.path)
    return Seen(
        name,
        request.method or "",
        request.path,
        dict(parse_qsl(request.query, keep_blank_values=True)),
        dict(parse_qsl(form, keep_blank_values=True)),
        dict(request.headers),
    )


OTHER = {"authorize": "authorize", "token": "token", "access_token": "token"}
OTHER |= {"openid-configuration": "discovery", "keys": "jwks"}
"""The last word of a path that names an endpoint, wherever it stands."""


async def answer(provider: Accounts, seen: Seen) -> Reply:
    """The reply to a request."""
    known = {
        "discovery": discovery,
        "jwks": jwks,
        "authorize": authorize,
        "token": token,
        "userinfo": userinfo,
        "revoke": revoke,
        "logout": logout,
    }
    return known.get(seen.endpoint, api)(provider, seen)


def broken(kind: str, seen: Seen) -> Reply | None:
    """The reply of an endpoint that is out of order."""
    if kind in ("error", "unavailable"):
        return give({"error": "server_error"}, 500 if kind == "error" else 503)
    if kind == "rejected":
        return refuse("invalid_grant") if seen.endpoint == "token" else refuse("invalid_token", 401)
    if kind == "nonsense":
        return Reply(200, b"<html><body>Please log in</body></html>", {"Content-Type": "text/html"})
    if kind == "empty":
        return Reply()
    return None


def discovery(provider: Accounts, seen: Seen) -> Reply:
    """Where everything is."""
    url = provider.url
    return give(
        {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/userinfo",
            "jwks_uri": f"{url}/jwks",
            "revocation_endpoint": f"{url}/revoke",
            "end_session_endpoint": f"{url}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


def jwks(provider: Accounts, seen: Seen) -> Reply:
    """The keys that sign now."""
    return give({"keys": [provider.key.public()]})


def authorize(provider: Accounts, seen: Seen) -> Reply:
    """Whoever sits before the browser consents, at once."""
    asked = seen.query
    person = provider.people.get(seen.headers.get(WHO, ""))
    if asked.get("client_id") != provider.client_id or not asked.get("redirect_uri"):
        return refuse("invalid_request")
    if person is None or person.subject in provider.disabled:
        said = {"error": "access_denied", "error_description": "nobody has logged in"}
    else:
        code = f"code-{secrets.token_urlsafe(24)}"
        challenge = asked.get("code_challenge", "")
        provider.codes[code] = Code(
            person.subject,
            asked["redirect_uri"],
            challenge,
            asked.get("scope", ""),
            asked.get("nonce", ""),
        )
        said = {"code": code}
    if "state" in asked:
        said["state"] = asked["state"]
    mark = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return Reply(302, headers={"Location": f"{asked['redirect_uri']}{mark}{urlencode(said)}"})


def token(provider: Accounts, seen: Seen) -> Reply:
    """Tokens for a code, or for a refresh token: each of them once."""
    if client(seen) != (provider.client_id, provider.client_secret):
        return refuse("invalid_client", 401)
    kind, nonce, audience = seen.form.get("grant_type"), "", ""
    if kind == "authorization_code":
        code = provider.codes.get(seen.form.get("code", ""))
        if code is None or code.used or code.redirect_uri != seen.form.get("redirect_uri"):
            return refuse("invalid_grant")
        if code.challenge and not tokens.matches(
            seen.form.get("code_verifier", ""), code.challenge
        ):
            return refuse("invalid_grant")
        code.used = True
        subject, scope, nonce = code.subject, code.scope, code.nonce
    elif kind == "refresh_token":
        given = seen.form.get("refresh_token", "")
        old = next((grant for grant in provider.grants if grant.refresh == given), None)
        if old is None or old.refresh_ended:
            return refuse("invalid_grant")
        audience = _audience(seen, old.scope)
        if audience and audience not in provider.audiences:
            return refuse("invalid_target")
        old.refresh_ended = True
        # A token for an audience is no other one's end.
        old.access_ended = old.access_ended or not (audience or old.audience)
        subject, scope = old.subject, old.scope
    elif kind == EXCHANGE:
        person = provider.bearer(seen.form.get("subject_token", ""))
        audience = _audience(seen, "")
        if person is None:
            return refuse("invalid_grant")
        if audience not in provider.audiences:
            return refuse("invalid_target")
        subject, scope = person.subject, ""
    else:
        return refuse("unsupported_grant_type")
    if subject in provider.disabled:
        return refuse("invalid_grant")
    reply = grant(provider, subject, scope, nonce, bare=seen.fault == "bare")
    reply = for_audience(provider, reply, audience)
    if kind == EXCHANGE:
        provider.grants[-1].refresh_ended = True
        reply = {**reply, "issued_token_type": f"{TOKEN_TYPE}:access_token"}
        for name in ("refresh_token", "id_token"):
            reply.pop(name, None)
    return give(reply)


def for_audience(provider: Accounts, reply: dict[str, Any], audience: str) -> dict[str, Any]:
    """The reply that gives a token for an audience: as `Accounts.mint` makes it, where it does."""
    given = provider.grants[-1]
    given.audience = audience
    if not audience or provider.mint is None:
        return reply
    given.access = provider.mint(provider.people[given.subject], audience)
    return {**reply, "access_token": given.access, "expires_in": provider.lifetime}


def _audience(seen: Seen, granted: str) -> str:
    """What a token is asked for, beyond the scope of the login."""
    named = seen.form.get("resource") or seen.form.get("audience") or seen.form.get("scope", "")
    return "" if set(named.split()) <= set(granted.split()) else named


def grant(
    provider: Accounts, subject: str, scope: str, nonce: str, *, bare: bool
) -> dict[str, Any]:
    """A new grant, and what the token endpoint says of it."""
    made = Grant(subject, scope)
    provider.grants.append(made)
    claims = provider.statement(provider.people[subject])
    own = {"iss": provider.url, "aud": provider.client_id, **({"nonce": nonce} if nonce else {})}
    said = {**own, **claims}
    reply = {
        "access_token": made.access,
        "refresh_token": made.refresh,
        "id_token": tokens.id_token(provider.key, provider.foreign, said, provider.lie),
        "token_type": "Bearer",
        "expires_in": tokens.LIFETIME,
        "scope": scope,
    }
    if bare:
        del reply["access_token"]
    return reply


def userinfo(provider: Accounts, seen: Seen) -> Reply:
    """What the provider says of whoever the access token stands for."""
    person = person_of(provider, seen)
    return give(provider.statement(person)) if person else refuse("invalid_token", 401)


def revoke(provider: Accounts, seen: Seen) -> Reply:
    """Revoke a token; an unknown one is as good as revoked."""
    if client(seen) != (provider.client_id, provider.client_secret):
        return refuse("invalid_client", 401)
    for grant in provider.grants:
        if seen.form.get("token") in (grant.access, grant.refresh):
            grant.access_ended = grant.refresh_ended = True
    return give({})


def logout(provider: Accounts, seen: Seen) -> Reply:
    """The end of the session at the provider."""
    return Reply(200, b"<html><body>You are logged out</body></html>")


def api(provider: Accounts, seen: Seen) -> Reply:
    """Graph's stand-in, and whatever API the suite's author has written."""
    person = person_of(provider, seen)
    if person is None:
        return refuse("invalid_token", 401)
    if seen.path.startswith("/v1.0/"):
        return _graph(provider, seen, person)
    said = provider.api(seen.path, person)
    if isinstance(said, Reply):
        return said
    return refuse("not_found", 404) if said is None else give(said)


def _graph(provider: Accounts, seen: Seen, person: Person) -> Reply:
    groups = list(person.groups) if isinstance(person.groups, (list, tuple)) else []
    last = seen.path.rpartition("/")[2]
    if last in ("getMemberObjects", "getMemberGroups"):
        return give({"value": groups})
    if last not in ("memberOf", "transitiveMemberOf"):
        return refuse("not_found", 404)
    start = int(seen.query.get("$skip", 0))
    page: dict[str, Any] = {
        "value": [
            {"@odata.type": "#microsoft.graph.group", "id": each, "displayName": each}
            for each in groups[start : start + PAGE]
        ]
    }
    if len(groups) > start + PAGE:
        page["@odata.nextLink"] = f"{provider.url}{seen.path}?$skip={start + PAGE}"
    return give(page)


def person_of(provider: Accounts, seen: Seen) -> Person | None:
    """Whose access token a request has."""
    kind, _, given = seen.headers.get("Authorization", "").partition(" ")
    if kind.lower() not in ("bearer", "token"):
        given = seen.query.get("access_token", "") or seen.query.get("private_token", "")
    return provider.bearer(given.strip())


def client(seen: Seen) -> tuple[str, str]:
    """The id and the secret of a client."""
    kind, _, given = seen.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        name, _, secret = base64.b64decode(given).decode().partition(":")
        return unquote_plus(name), unquote_plus(secret)
    return seen.form.get("client_id", ""), seen.form.get("client_secret", "")
