"""Ask a provider again whether a user may stay: what `refresh_user` does.

JupyterHub asks every few minutes for a user who is at work. A login ends where the
provider says so, or tells of somebody else. Where it does not answer nothing is
known: the question stays open, for a bounded time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from greyhub.auth.group_rules import drop_rights
from greyhub.auth.openid import claims as reading
from greyhub.auth.openid.errors import GrantRefused, ProviderUnavailable, Refused
from greyhub.auth.openid.id_token import BadToken
from greyhub.auth.openid.logout import TOKENS
from greyhub.auth.openid.provider import Misconfigured

REFUSED = "refused_at"
"""Where the auth state of a login that a refresh refused says when; the next login has none."""

WHY = "ended_because"
"""Where the auth state of a login that a refresh ended says why, in words for the user."""

KEPT = 8
"""Refresh tokens of a user that are remembered as used."""


async def refreshed(authenticator: Any, user: Any, handler: Any) -> Any:
    """What `refresh_user` answers: True, False or an auth model; one question at a time.

    Raises
    ------
    ProviderUnavailable
        The provider does not answer, and has not lately.
    """
    if not authenticator.enable_auth_state:
        return True
    before = await user.get_auth_state()
    async with one_at_a_time(authenticator, user):
        state = await user.get_auth_state()
        if not state or not state.get("access_token"):
            return False
        one = authenticator.of(state)
        if one is None:
            authenticator.warn(
                f"the login of {user.name} has ended: it was at {state.get('issuer')}, which is no "
                "provider of this hub any more"
            )
            why = "This hub takes no logins any more by the provider that yours was at."
            await user.save_auth_state({**state, **dict.fromkeys(TOKENS), WHY: why})
            return False
        authenticator = one
        if _asked_last(state) != _asked_last(before) and _lasts(authenticator, state):
            return True  # another request has just asked
        try:
            model = await _asked(authenticator, user, state)
            blocked = not authenticator.check_blocked_users(user.name, model)
            if blocked or not await authenticator.check_allowed(user.name, model):
                drop_rights(user, model["groups"] if authenticator.manage_groups else None)
                raise Refused("The rules of this hub do not admit you any more.")
        except ProviderUnavailable as error:
            state = await user.get_auth_state() or state
            since = time.time() - state.get("confirmed_at", 0)
            authenticator.warn(
                f"the login of {user.name} cannot be confirmed, last was {since:.0f} s ago: "
                f"{error.log_message}"
            )
            if 0 <= since < authenticator.outage_grace:
                return True
            raise
        except (GrantRefused, BadToken, Refused) as error:
            latest = await user.get_auth_state() or {}
            if latest.get("access_token") and latest.get("login_at") != state.get("login_at"):
                return True  # they have logged in anew meanwhile
            said = error.log_message if isinstance(error, Refused) else error
            authenticator.log.info("greyhub: the login of %s has ended: %s", user.name, said)
            # Also for a request that waits: without tokens there is nothing to ask.
            why = _in_words(error, str(authenticator.login_service))
            ended = {**dict.fromkeys(TOKENS), REFUSED: time.time(), WHY: why}
            await user.save_auth_state(latest and {**latest, **ended})
            return False
        model["name"] = user.name
        model["admin"] = authenticator.is_admin(handler, model)
        return model


def _in_words(error: Exception, service: str) -> str:
    """Why a login has ended, for the user; what the provider wrote is for the log alone."""
    if isinstance(error, Refused):
        return str(error.log_message)
    if isinstance(error, GrantRefused):
        return error.words or f"Your login by {service} has ended. Log in again."
    return f"{service} tells of you otherwise than at your login. Log in again."


def one_at_a_time(authenticator: Any, user: Any) -> asyncio.Lock:
    """The lock under which a user's tokens are used and replaced."""
    found: asyncio.Lock = authenticator.locks.setdefault(user.name, asyncio.Lock())
    return found


def _asked_last(state: Mapping[str, Any] | None) -> tuple[Any, ...]:
    """What changes when the provider is asked about a login, and not with other tokens."""
    return tuple((state or {}).get(name) for name in ("access_token", "confirmed_at"))


async def refresh_grant(
    authenticator: Any, user: Any, state: Mapping[str, Any], **asked: str
) -> dict[str, Any]:
    """What the provider gives for the refresh token; the new refresh token is kept at once.

    Call it under `one_at_a_time`, and let it end: what it is given, nobody can have again.

    Parameters
    ----------
    authenticator : OIDCAuthenticator
        Whose provider is asked.
    user : jupyterhub.user.User
        Whose auth state is kept.
    state : mapping
        The auth state of now.
    **asked : str
        For a token that is not the login's own: ``scope``, ``resource``, ``audience``.

    Raises
    ------
    GrantRefused
        The provider says no, or the login has ended meanwhile.
    ProviderUnavailable
        It does not say.
    """
    # The hub stores the model of a refresh later, and may put an older token in the newer's place.
    used = authenticator.newest.get(user.name, {})
    refresh = used.get(state["refresh_token"], state["refresh_token"])
    form = {"grant_type": "refresh_token", "refresh_token": refresh, **asked}
    try:
        tokens: dict[str, Any] = await authenticator.provider.exchange(form)
    except Misconfigured:
        raise
    except ProviderUnavailable:
        await _keep(user, state, {"unanswered": True})
        raise
    new = {"refresh_token": tokens.get("refresh_token") or refresh, "unanswered": False}
    latest = [*used, refresh][-KEPT:]
    authenticator.newest[user.name] = dict.fromkeys(latest, new["refresh_token"])
    if not asked:
        new |= {"access_token": tokens["access_token"], **times(tokens)}
    if not await _keep(user, state, new):
        raise GrantRefused("the login has ended meanwhile")
    return {**tokens, "refresh_token": new["refresh_token"]}


async def _keep(user: Any, state: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Keep what is new of a login, if it is still the one that goes on; whether it is."""
    latest = await user.get_auth_state() or {}
    if not latest.get("access_token") or latest.get("login_at") != state.get("login_at"):
        return False
    await user.save_auth_state({**latest, **new})
    return True


async def _asked(authenticator: Any, user: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """The user's auth model as the provider now tells it, by the tokens there are or new ones."""
    # What userinfo told before, and tells no more, is no more so.
    told = set(state.get("userinfo_claims") or ()) - {"sub"}
    kept = state.get("id_token_claims") or {}
    before = {name: value for name, value in kept.items() if name not in told}
    refresh = state.get("refresh_token")

    async def by_access_token() -> dict[str, Any]:
        if not (await authenticator.provider.metadata()).userinfo_endpoint:
            raise GrantRefused("without userinfo and a refresh token nobody can be asked")
        kept = {name: state[name] for name in ("access_token", "refresh_token")}
        said = await authenticator.statement(kept, nonce=None, before=before)
        return await _model(authenticator, kept, said, state)

    if not refresh or (_tells_all(authenticator, state) and _lasts(authenticator, state)):
        try:
            return await by_access_token()
        except GrantRefused:
            if not refresh:
                raise
    try:
        # The new tokens are kept whatever comes: another request may wait for them.
        tokens = await refresh_grant(authenticator, user, state)
    except GrantRefused:
        if not state.get("unanswered"):
            raise
        # It was perhaps used up by the request whose answer was lost: the access token decides.
        state = {**state, "refresh_token": None}
        return await by_access_token()
    try:
        said = await authenticator.statement(tokens, nonce=None, before=before)
    except GrantRefused as refused:
        raise ProviderUnavailable(f"a new token is refused: {refused}") from None
    return await _model(authenticator, tokens, said, state)


async def _model(
    authenticator: Any,
    tokens: Mapping[str, Any],
    said: Mapping[str, Any],
    state: Mapping[str, Any],
) -> dict[str, Any]:
    """The auth model, if it is the same person by the same name."""
    model: dict[str, Any] = await authenticator.model(tokens, said)
    new = model["auth_state"]
    if authenticator.identity(model) != (state.get("issuer"), state.get("subject")):
        raise BadToken("the provider tells of somebody else")
    if new["proposed_name"] != state.get("proposed_name"):
        raise BadToken("the provider tells another name, which a login looks up")
    if "expires_in" not in tokens:
        new["expires_in"], new["expires_at"] = state.get("expires_in"), state.get("expires_at")
    new["id_token"] = new["id_token"] or state.get("id_token")
    new["login_at"] = state.get("login_at")
    return model


def times(tokens: Mapping[str, Any]) -> dict[str, float | None]:
    """How long an access token is good, in seconds, and until when; None where it is not said."""
    lifetime = tokens.get("expires_in")
    if not isinstance(lifetime, int | float) or isinstance(lifetime, bool):
        return {"expires_in": None, "expires_at": None}
    return {"expires_in": lifetime, "expires_at": time.time() + lifetime}


def _lasts(authenticator: Any, state: Mapping[str, Any]) -> bool:
    """Whether the access token is good until the hub asks again; unknown counts as good."""
    lifetime, end = state.get("expires_in"), state.get("expires_at")
    if lifetime is None or end is None:
        return True
    return bool(end - time.time() > min(authenticator.auth_refresh_age, lifetime / 2))


def _tells_all(authenticator: Any, state: Mapping[str, Any]) -> bool:
    """Whether userinfo tells what the rules need, so that an ID token is not needed for it."""
    told = dict.fromkeys(state.get("userinfo_claims") or (), True)
    needed = [authenticator.username_claim, *authenticator.required_claims]
    if authenticator.manage_groups and not authenticator.groups_url:
        needed += authenticator.groups_claims
    return all(
        reading.claim(told, path) is not reading.ABSENT or path.partition(".")[0] in told
        for path in needed
    )
