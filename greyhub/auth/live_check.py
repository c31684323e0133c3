"""Ask an OAuth provider whether it is there and knows this client."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode

from greyhub.adapter import Finding
from greyhub.http_probe import Reply, Unreachable, ask, clock

NOT_THIS_CLIENT = {"invalid_client", "unauthorized_client", "incorrect_client_credentials"}
"""What providers answer when the client's id or secret is wrong."""

NOT_THIS_CODE = {"invalid_grant", "bad_verification_code", "invalid_request"}
"""What they answer to a client that they know, when its code is wrong."""


async def oauth(authenticator: Any, url: str = "", basic: bool | None = None) -> list[Finding]:
    """What a provider says to a login that nobody has begun.

    Parameters
    ----------
    authenticator : oauthenticator.oauth2.OAuthenticator
        Its ``token_url``, ``client_id``, ``client_secret`` and ``basic_auth`` are used.
    url, basic : str, bool, optional
        The token endpoint, and whether it takes the secret in a header, if they are known better.
    """
    url = url or authenticator.token_url
    if not url:
        return []
    fields = {"grant_type": "authorization_code", "code": "greyhub-check"}
    if authenticator.oauth_callback_url:
        fields["redirect_uri"] = authenticator.oauth_callback_url
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    client = {
        "client_id": authenticator.client_id,
        "client_secret": authenticator.client_secret,
    }
    if getattr(authenticator, "basic_auth", False) if basic is None else basic:
        pair = base64.b64encode(":".join(client.values()).encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    else:
        fields |= client
    try:
        reply = await ask(url, method="POST", body=urlencode(fields), headers=headers)
    except Unreachable as error:
        return [
            Finding(
                "error",
                f"nobody can log in: {error}",
                "fix the address, or let the hub's machine reach it",
                option=f"c.{type(authenticator).__name__}.token_url",
            )
        ]
    return [*_judged(reply, authenticator), *clock(reply, "the identity provider")]


def _judged(reply: Reply, authenticator: Any) -> Iterator[Finding]:
    section, error = type(authenticator).__name__, _error(reply)
    if error in NOT_THIS_CLIENT or (reply.status == 401 and not error):
        yield Finding(
            "error",
            f"the provider does not know this hub: {error or 'status 401'}",
            f"compare c.{section}.client_id and client_secret with what it was registered with",
            option=f"c.{section}.client_secret",
        )
    elif error in NOT_THIS_CODE:
        yield Finding("ok", "the provider answers, and knows this hub's id and secret")
    elif reply.status == 404:
        yield Finding(
            "error",
            "the provider has no such address",
            "take it from the provider's /.well-known/openid-configuration",
            option=f"c.{section}.token_url",
        )
    else:
        yield Finding(
            "warning",
            f"the provider answers in a way that says nothing of this hub: status {reply.status}"
            + (f", {error}" if error else ""),
            "see whether a login works",
            option=f"c.{section}.token_url",
        )


def _error(reply: Reply) -> str:
    """The name of the error in an answer: JSON, or a form as GitHub's."""
    try:
        found = json.loads(reply.text)
    except ValueError:
        found = {name: values[0] for name, values in parse_qs(reply.text).items()}
    error = found.get("error", "") if isinstance(found, dict) else ""
    return error if isinstance(error, str) and error.replace("_", "").isalnum() else ""
