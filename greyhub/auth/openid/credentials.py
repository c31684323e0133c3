"""Credentials for servers out of a login at a provider: tokens for an audience, and its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from greyhub.auth.credentials.issuing import ENDED
from greyhub.auth.openid.errors import GrantRefused, ProviderUnavailable
from greyhub.auth.openid.provider import Misconfigured
from greyhub.auth.openid.refresh import one_at_a_time, refresh_grant, times
from greyhub.credentials import TOKEN, Credential
from greyhub.errors import CredentialRefused, CredentialUnavailable

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"

UNSAID: Final = 300.0
"""Seconds for which a token is taken to be good where the provider does not say."""


@dataclass(frozen=True)
class ProviderTokens:
    """Access tokens for an audience: by the refresh token, or by token exchange (RFC 8693)."""

    scope: str = ""
    resource: str = ""
    """RFC 8707."""

    audience: str = ""
    exchange: bool = False

    authenticator: ClassVar[str] = "OIDCAuthenticator"

    def __post_init__(self) -> None:
        for name in ("scope", "resource", "audience"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is no text")
        if not (self.scope or self.resource or self.audience):
            raise ValueError(
                "neither scope, resource nor audience says what to ask the provider for"
            )

    async def issue(self, user: Any, auth_state: Mapping[str, Any], audience: str) -> Credential:
        """A token that the provider gives for this audience."""
        asked = {"scope": self.scope, "resource": self.resource, "audience": self.audience}
        asked = {name: value for name, value in asked.items() if value}
        with in_words(user, audience):
            if self.exchange:
                return credential(await self._exchanged(user, asked))
            async with one_at_a_time(user.authenticator, user):
                state, authenticator = await login_of(user)
                if not state.get("refresh_token"):
                    raise CredentialRefused(
                        f"the provider gave no refresh token, which {audience!r} needs\n"
                        "  fix: log in again; if that does not help, ask the hub's administrator "
                        "for the scope offline_access"
                    )
                return credential(await refresh_grant(authenticator, user, state, **asked))

    async def _exchanged(self, user: Any, asked: Mapping[str, str]) -> dict[str, Any]:
        form = {
            "grant_type": EXCHANGE,
            "subject_token": (await own_token(user)).values[TOKEN],
            "subject_token_type": ACCESS,
            "requested_token_type": ACCESS,
            **asked,
        }
        _, authenticator = await login_of(user)
        found: dict[str, Any] = await authenticator.provider.exchange(form)
        return found


@dataclass(frozen=True)
class LoginToken:
    """The access token of the login itself, refreshed before it ends."""

    authenticator: ClassVar[str] = "OIDCAuthenticator"

    async def issue(self, user: Any, auth_state: Mapping[str, Any], audience: str) -> Credential:
        """The token of now, or a new one."""
        with in_words(user, audience):
            return await own_token(user)


def credential(tokens: Mapping[str, Any]) -> Credential:
    """An access token as it was just given, with its end."""
    lifetime = times(tokens)["expires_in"]
    return Credential.lasting(
        {TOKEN: tokens["access_token"]}, UNSAID if lifetime is None else lifetime
    )


async def login_of(user: Any) -> tuple[dict[str, Any], Any]:
    """What the hub keeps of a login that goes on, and the authenticator of its provider."""
    state: dict[str, Any] = await user.get_auth_state() or {}
    authenticator = user.authenticator.of(state)
    if not state.get("access_token") or authenticator is None:
        raise CredentialRefused(ENDED)
    return state, authenticator


async def own_token(user: Any) -> Credential:
    """The login's access token; a new one where half of its time is over."""
    async with one_at_a_time(user.authenticator, user):
        state, authenticator = await login_of(user)
        end, lifetime = state.get("expires_at"), state.get("expires_in")
        token = {TOKEN: state["access_token"]}
        if end is None or lifetime is None:
            return Credential.lasting(token, UNSAID)
        if time.time() < end - lifetime / 2 or not state.get("refresh_token"):
            return Credential(token, end, end - lifetime / 2)
        return credential(await refresh_grant(authenticator, user, state))


@contextmanager
def in_words(user: Any, audience: str) -> Iterator[None]:
    """What a provider answers instead of a token, as a user can understand it."""
    try:
        yield
    except GrantRefused as refused:
        words = refused.words
        if refused.claims:
            user.authenticator.challenges[user.name] = refused.claims
            page = user.authenticator.login_page()
            what = words.partition("\n")[0] or f"the provider asks for more ({refused})"
            words = f"{what}\n  fix: open {page} to log in again: it asks for what is missing"
        if words:
            raise CredentialRefused(f"no token for {audience!r}: {words}") from None
        raise CredentialRefused(
            f"the provider refuses a token for {audience!r}: {refused}\n"
            "  fix: log out and in again on the hub's page; if that does not help, ask the hub's "
            "administrator whether it may have tokens for this audience"
        ) from None
    except Misconfigured as wrong:
        user.authenticator.log.error("greyhub: no token for %s: %s", audience, wrong.log_message)
        if not wrong.error:
            raise _unavailable(audience) from None
        raise CredentialRefused(
            f"the provider gives this hub no token for {audience!r}: {wrong.error}\n"
            "  fix: tell the hub's administrator, who can compare c.AuthAdapter.audiences with "
            "what the provider knows"
        ) from None
    except ProviderUnavailable as error:
        user.authenticator.warn(f"no token for {audience}: {error.log_message}")
        raise _unavailable(audience) from None


def _unavailable(audience: str) -> CredentialUnavailable:
    return CredentialUnavailable(
        f"the identity provider does not answer: there is no token for {audience!r} now\n"
        "  fix: try again in a moment"
    )
