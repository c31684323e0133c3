"""Ask an OpenID Connect provider what it says of itself and of this hub, with nobody logged in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tornado.httputil import url_concat

from greyhub.adapter import Finding
from greyhub.auth.live_check import oauth
from greyhub.auth.openid.errors import ProviderUnavailable
from greyhub.auth.openid.http import TIMEOUT
from greyhub.auth.openid.id_token import ALGORITHMS
from greyhub.auth.openid.provider import Metadata


async def findings(authenticator: Any, redirect: str) -> list[Finding]:
    """What is right and wrong between the hub and its provider.

    Parameters
    ----------
    authenticator : greyhub.auth.openid.authenticator.OIDCAuthenticator
        With its options set; it need not have been started.
    redirect : str
        The address of the hub to which the provider sends the browser back.
    """
    provider = authenticator.provider
    try:
        metadata = await provider.metadata()
    except ProviderUnavailable as error:
        what, _, fix = str(error.log_message).partition("\n  fix: ")
        return [
            Finding(
                "error",
                f"nobody can log in: {what}",
                fix or "fix the address, or let the hub's machine reach it",
                option=authenticator.option("issuer"),
            )
        ]
    found = list(await asked(authenticator, metadata, redirect))
    if provider.openid:
        found += _told(authenticator, await provider.document())
    basic = metadata.basic and provider.openid
    return [*found, *await oauth(authenticator, metadata.token_endpoint, basic)]


async def asked(
    authenticator: Any,
    metadata: Metadata,
    redirect: str,
    explained: Callable[[str], str] = lambda page: "",
) -> Sequence[Finding]:
    """Begin a login that must not ask anybody anything: what comes back tells of the client.

    Parameters
    ----------
    authenticator, metadata, redirect
        As `findings` has them.
    explained : callable
        What a page says that is shown instead, and ``fix:``; empty if it says nothing.
    """
    query = {
        "response_type": "code",
        "client_id": authenticator.client_id,
        "redirect_uri": redirect,
        "scope": " ".join(authenticator.scope),
        "state": secrets.token_hex(16),
        "nonce": secrets.token_hex(16),
        "code_challenge": secrets.token_urlsafe(32),
        "code_challenge_method": "S256",
        "prompt": "none",
    }
    try:
        answer = await authenticator.http_client.fetch(
            url_concat(metadata.authorization_endpoint, query),
            raise_error=False,
            follow_redirects=False,
            **{
                "connect_timeout": TIMEOUT,
                "request_timeout": TIMEOUT,
                **authenticator.http_request_kwargs,
            },
        )
    except Exception as error:
        return [
            Finding(
                "error",
                f"the page where people log in cannot be reached: {type(error).__name__}",
                "let the hub's machine reach it, or look at what the provider says of itself",
                option=authenticator.option("issuer"),
            )
        ]
    location = answer.headers.get("Location", "")
    if not location.startswith(redirect):
        if said := explained((answer.body or b"").decode("utf-8", "replace")):
            what, _, fix = said.partition("\n  fix: ")
            return [Finding("error", what, fix, option=authenticator.option("client_id"))]
        if answer.code >= 400:
            return [
                Finding(
                    "error",
                    f"the provider does not send browsers back to {redirect}: it answers with "
                    f"status {answer.code}",
                    "register exactly that address for this client, and compare client_id",
                    option=authenticator.option("client_id"),
                )
            ]
        return [
            Finding(
                "note",
                f"whether the provider sends browsers back to {redirect} is not known: it shows a "
                "page first",
                "see whether a login works",
            )
        ]
    [word] = parse_qs(urlsplit(location).query).get("error", [""])[:1]
    if word == "invalid_scope":
        return [
            Finding(
                "error",
                f"the provider does not give this client the scopes {query['scope']}",
                "grant them to the client, or ask for fewer",
                option=authenticator.option("scope"),
            )
        ]
    if word in ("unauthorized_client", "unsupported_response_type", "invalid_request"):
        return [
            Finding(
                "error",
                f"the provider does not let this client log people in: {word}",
                "let the client use the authorization code flow, with PKCE",
                option=authenticator.option("client_id"),
            )
        ]
    return [Finding("ok", f"the provider sends browsers back to {redirect}")]


def _told(authenticator: Any, said: dict[str, Any]) -> Iterator[Finding]:
    """What discovery says that the rules cannot do with, or without."""
    algorithms = said.get("id_token_signing_alg_values_supported")
    if isinstance(algorithms, list) and not ALGORITHMS & set(map(str, algorithms)):
        yield Finding(
            "error",
            f"the provider signs ID tokens by {', '.join(map(str, algorithms))}, and by no key of "
            "its own",
            "let it sign by RS256 or ES256",
            option=authenticator.option("issuer"),
        )
    challenges = said.get("code_challenge_methods_supported")
    if not isinstance(challenges, list) or "S256" not in challenges:
        yield Finding(
            "note",
            "the provider does not say that it knows PKCE (S256): the nonce alone then keeps a "
            "stolen code from being used",
        )
    scopes = said.get("scopes_supported")
    known = list(scopes) if isinstance(scopes, list) else authenticator.scope
    missing = [each for each in authenticator.scope if each not in known]
    if missing:
        yield Finding(
            "warning",
            f"the provider does not list the scopes {', '.join(missing)}",
            "see whether it gives them, or ask for others",
            option=authenticator.option("scope"),
        )
    claims = said.get("claims_supported")
    if not isinstance(claims, list) or not authenticator.facts.lists_claims:
        return
    for option, path in _needed(authenticator):
        if not {path, path.partition(".")[0]} & set(map(str, claims)):
            yield Finding(
                "warning",
                f"the provider does not list the claim {path}, which the rules need",
                "let it send that claim, or name another",
                option=authenticator.option(option),
            )


def _needed(authenticator: Any) -> Iterator[tuple[str, str]]:
    yield "username_claim", authenticator.username_claim
    if authenticator.username_claim == "email":
        yield "username_claim", "email_verified"
    by_groups = authenticator.allowed_groups or authenticator.admin_groups
    if by_groups and not authenticator.groups_url:
        for path in authenticator.groups_claims:
            yield "groups_claim", path
    for path in authenticator.required_claims:
        yield "required_claims", path
