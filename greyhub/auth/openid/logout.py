"""Log out of every session, and by option at the provider."""

from __future__ import annotations

from typing import Any

from greyhub.auth.logout import LogoutEverywhere

TOKENS = ("access_token", "refresh_token", "id_token")
"""What is dropped of a user's auth state when their login ends."""


def without_tokens(auth_state: dict[str, Any] | None) -> dict[str, Any] | None:
    """What stays of a login that has ended: who it was."""
    return {**auth_state, **dict.fromkeys(TOKENS)} if auth_state else auth_state


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
