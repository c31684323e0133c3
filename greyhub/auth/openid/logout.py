"""Log out of every session, and by option at the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from greyhub.auth.logout import LogoutEverywhere
from greyhub.auth.openid.errors import ProviderUnavailable

TOKENS = ("access_token", "refresh_token", "id_token")
"""What is dropped of a user's auth state when their login ends."""


def without_tokens(auth_state: dict[str, Any] | None) -> dict[str, Any] | None:
    """What stays of a login that has ended: who it was."""
    return {**auth_state, **dict.fromkeys(TOKENS)} if auth_state else auth_state


async def end_session_url(authenticator: Any, state: Mapping[str, Any]) -> str:
    """Where a logout leads to: what is configured, or the provider's own logout."""
    back = str(authenticator.logout_redirect_url)
    if not authenticator.logout_at_provider:
        return back
    there = ""
    try:
        there = (await authenticator.provider.metadata()).end_session_endpoint
        for token in (state.get("refresh_token"), state.get("access_token")):
            if token:
                await authenticator.provider.revoke(token)
    except ProviderUnavailable as error:
        authenticator.warn(f"a logout did not revoke the tokens: {error.log_message}")
    if not there:
        return back
    asked = {"client_id": authenticator.client_id}
    if state.get("id_token"):
        asked["id_token_hint"] = state["id_token"]
    if back:
        asked["post_logout_redirect_uri"] = back
    return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}"


class Logout(LogoutEverywhere):
    """Ends a user's sessions in all browsers, then leads where the authenticator says."""

    _there = ""

    async def default_handle_logout(self) -> None:
        """Log out here, and find where to go on to."""
        user = self.current_user
        authenticator = self.authenticator
        state = await user.get_auth_state() if user else None
        one = authenticator.of(state)
        back = str(authenticator.logout_redirect_url)
        self._there = await one.end_session_url(state) if one else back
        if state and one and one.logout_at_provider:
            await user.save_auth_state(without_tokens(state))
        await super().default_handle_logout()

    async def render_logout_page(self) -> None:
        """Go on to the configured address or the provider, or show the hub's own page."""
        if self._there:
            self.redirect(self._there)
        else:
            await super().render_logout_page()
