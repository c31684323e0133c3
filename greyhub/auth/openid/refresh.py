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

from greyhub.auth.openid import claims as reading
from greyhub.auth.openid.errors import GrantRefused, ProviderUnavailable, Refused
from greyhub.auth.openid.id_token import BadToken
from greyhub.auth.openid.logout import without_tokens


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
    async with authenticator.locks.setdefault(user.name, asyncio.Lock()):
        state = await user.get_auth_state()
        if not state or not state.get("access_token"):
            return False
        one = authenticator.of(state)
        if one is None:
            authenticator.warn(
                f"the login of {user.name} has ended: it was at {state.get('issuer')}, which is no "
                "provider of this hub any more"
            )
            await user.save_auth_state(without_tokens(state))
            return False
        authenticator = one
        if state != before and _lasts(authenticator, state):
            return True  # another request has just asked
        try:
            model = await _asked(authenticator, user, state)
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
            why = error.log_message if isinstance(error, Refused) else error
            authenticator.log.info("greyhub: the login of %s has ended: %s", user.name, why)
            await user.save_auth_state(without_tokens(await user.get_auth_state()))
            return False
        if not authenticator.check_blocked_users(user.name, model):
            return False
        if not await authenticator.check_allowed(user.name, model):
            return False
        model["name"] = user.name
        model["admin"] = authenticator.is_admin(handler, model)
        return model


async def _asked(authenticator: Any, user: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """The user's auth model as the provider now tells it, by the tokens there are or new ones."""
    # What userinfo told before, and tells no more, is no more so.
    told = set(state.get("userinfo_claims") or ()) - {"sub"}
    kept = state.get("id_token_claims") or {}
    before = {name: value for name, value in kept.items() if name not in told}
    refresh = state.get("refresh_token")

    async def by_access_token() -> dict[str, Any]:
        kept = {name: state[name] for name in ("access_token", "refresh_token")}
        said = await authenticator.statement(kept, nonce=None, before=before)
        return await _model(authenticator, kept, said, state)

    if not refresh or (_tells_all(authenticator, state) and _lasts(authenticator, state)):
        try:
            return await by_access_token()
        except GrantRefused:
            if not refresh:
                raise
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    try:
        tokens = await authenticator.provider.exchange(form)
    except ProviderUnavailable:
        await user.save_auth_state({**state, "unanswered": True})
        raise
    except GrantRefused:
        if not state.get("unanswered"):
            raise
        # It was perhaps used up by the request whose answer was lost: the access token decides.
        state = {**state, "refresh_token": None}
        return await by_access_token()
    tokens = {**tokens, "refresh_token": tokens.get("refresh_token") or refresh}
    # The old refresh token may be good no more: the new one is kept, whatever comes, and at
    # once: the hub stores the model only later, and another request may wait.
    new = {name: tokens[name] for name in ("access_token", "refresh_token")}
    await user.save_auth_state({**state, **new, **times(tokens), "unanswered": False})
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
        needed.append(authenticator.groups_claim)
    return all(
        reading.claim(told, path) is not reading.ABSENT or path.partition(".")[0] in told
        for path in needed
    )
