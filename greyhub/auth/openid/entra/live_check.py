"""Ask Entra, with nobody logged in, what it knows of this hub."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from greyhub.adapter import Finding
from greyhub.auth.openid.entra import codes
from greyhub.auth.openid.entra.authenticator import GROUPS
from greyhub.auth.openid.errors import GrantRefused, ProviderUnavailable
from greyhub.auth.openid.http import Answer
from greyhub.http_probe import Unreachable, ask, clock

SOON: Final = 30
"""Days before its end that a secret is warned of."""

REGISTRATION: Final = "passwordCredentials,keyCredentials,groupMembershipClaims,appRoles,web"
"""What is asked of the application's registration."""


async def findings(authenticator: Any, redirect: str) -> list[Finding]:
    """What is right and wrong between the hub and its directories.

    Parameters
    ----------
    authenticator : greyhub.auth.openid.entra.authenticator.EntraAuthenticator
        With its options set; it need not have been started.
    redirect : str
        The address of the hub to which browsers are sent back.
    """
    from greyhub.auth.openid.live_check import asked

    provider = authenticator.provider
    try:
        metadata = await provider.metadata()
    except ProviderUnavailable as error:
        return [_error(str(error.log_message), authenticator.option("tenant"))]
    found = [Finding("ok", f"{provider.cloud.authority} knows {provider.directory}")]
    found += await asked(authenticator, metadata, redirect, explained)
    found += [each async for each in _application(authenticator, redirect)]
    try:
        reply = await ask(metadata.jwks_uri)
    except Unreachable:
        return found
    return [*found, *clock(reply, "the identity provider")]


def explained(page: str) -> str:
    """What a page that shows an error says, in words; empty if it shows none that is known."""
    place = page.find("AADSTS")
    return codes.words(codes.code_of(page[place : place + 20])) if place >= 0 else ""


async def _application(authenticator: Any, redirect: str) -> AsyncIterator[Finding]:
    """Whether the hub's proof of itself is taken, and what its registration says."""
    provider = authenticator.provider
    one = authenticator.tenant or sorted(authenticator.tenants)[0]
    form = {"grant_type": "client_credentials", "scope": f"{provider.cloud.graph}/.default"}
    own = next((n for n in ("client_certificate", "federated_token_file")
                if getattr(authenticator, n)), "client_secret")  # fmt: skip
    # A word for several directories gives no token to an application.
    url = f"{provider.cloud.authority}/{one}/oauth2/v2.0/token"
    try:
        tokens = await provider.tokens(url, form)
    except (ProviderUnavailable, GrantRefused) as error:
        message = getattr(error, "words", "") or getattr(error, "log_message", "") or str(error)
        yield _error(message, authenticator.option(own))
        return
    yield Finding("ok", f"the directory knows this hub, and takes its {own}")
    url = f"{provider.cloud.graph}/v1.0/applications(appId='{authenticator.client_id}')"
    try:
        answer = await provider.get(f"{url}?$select={REGISTRATION}", tokens["access_token"])
    except ProviderUnavailable:
        answer = Answer(503, {})
    if answer.status != 200 or not isinstance(answer.body, Mapping):
        yield Finding(
            "note",
            f"when the {own} ends, and which groups tokens hold, is not known: the application may "
            "not read its own registration",
            "note the day, or grant it Application.Read.All",
        )
        return
    for each in (
        *_ends(answer.body, authenticator, own),
        *_groups(answer.body, authenticator),
        *_addresses(answer.body, authenticator, redirect),
    ):
        yield each


def _ends(said: Mapping[str, Any], authenticator: Any, own: str) -> Iterator[Finding]:
    """When the secret or the certificate ends."""
    if own == "federated_token_file":
        return
    kind = "passwordCredentials" if own == "client_secret" else "keyCredentials"
    listed = [each for each in said.get(kind) or () if isinstance(each, Mapping)]
    if own == "client_secret":  # Graph tells its first three letters
        fit = [e for e in listed if e.get("hint") == authenticator.client_secret[:3]]
        listed = fit or listed
    ends = [end for end in map(_time, listed) if end is not None]
    if not ends:
        return
    end = max(ends)
    days = int((end - time.time()) // 86400)
    day = time.strftime("%Y-%m-%d", time.gmtime(end))
    yield Finding(
        "ok" if days > SOON else "warning",
        f"the {own} ends on {day}, in {days} days",
        "" if days > SOON else "make a new one under Certificates and secrets",
        option="" if days > SOON else authenticator.option(own),
    )


def _time(credential: Mapping[str, Any]) -> float | None:
    try:
        return datetime.fromisoformat(str(credential.get("endDateTime"))).timestamp()
    except ValueError:
        return None


def _groups(said: Mapping[str, Any], authenticator: Any) -> Iterator[Finding]:
    """Whether tokens tell what the rules go by."""
    named = set(authenticator.allowed_groups | authenticator.admin_groups)
    roles = {e.get("value") for e in said.get("appRoles") or () if isinstance(e, Mapping)}
    if not named - roles:
        return
    kind = said.get("groupMembershipClaims")
    if GROUPS in authenticator.groups_claims and kind in (None, "", "None"):
        yield Finding(
            "warning",
            f"tokens hold no groups, and {', '.join(sorted(named - roles))} is no app role",
            "add the groups claim under Token configuration",
            option=authenticator.option("allowed_groups"),
        )


def _addresses(said: Mapping[str, Any], authenticator: Any, redirect: str) -> Iterator[Finding]:
    """Whether the redirect address is registered."""
    web = said.get("web")
    listed = web.get("redirectUris") if isinstance(web, Mapping) else None
    if isinstance(listed, list) and redirect not in listed:
        yield Finding(
            "error",
            f"the redirect address {redirect} is not registered",
            "add it under Authentication, Web",
            option=authenticator.option("oauth_callback_url"),
        )


def _error(message: str, option: str) -> Finding:
    what, _, fix = message.partition("\n  fix: ")
    fix = fix or "fix the address, or let the hub's machine reach it"
    return Finding("error", f"nobody can log in: {what}", fix, option=option)
