"""The pages of a login: one in each tab, and a logout that ends all sessions."""

from __future__ import annotations

import re
import secrets
from typing import Any

from oauthenticator.oauth2 import (
    STATE_COOKIE_NAME,
    OAuthCallbackHandler,
    OAuthLoginHandler,
    OAuthLogoutHandler,
    _deserialize_state,
)

from greyhub.auth.logout import LogoutEverywhere

MINUTES = 15 / 24 / 60
"""A quarter of an hour, in days: how long a login may take."""


class TabLogin(OAuthLoginHandler):  # type: ignore[misc]
    """Keeps what belongs to a login in a cookie of its own, for some minutes."""

    def _generate_state_id(self) -> str:
        return secrets.token_hex(16)

    def set_state_cookie(self, state_cookie_value: str) -> None:
        """In a cookie that is named by the login."""
        state = _deserialize_state(state_cookie_value)["state_id"]
        name = f"{STATE_COOKIE_NAME}-{state}"
        self._set_cookie(name, state_cookie_value, expires_days=MINUTES, httponly=True)


class TabCallback(OAuthCallbackHandler):  # type: ignore[misc]
    """Finds the cookie by the state that came back."""

    _state_cookie: str | None

    def get_state_cookie(self) -> str:
        """The cookie of this login, which is used up by it."""
        if self._state_cookie is None:
            said = _deserialize_state(self.get_state_url().encode("ascii", "replace"))
            state = said.get("state_id") if isinstance(said, dict) else None
            self._state_cookie = ""
            if isinstance(state, str) and re.fullmatch("[0-9a-f]{32}", state):
                name = f"{STATE_COOKIE_NAME}-{state}"
                self._state_cookie = (self.get_secure_cookie(name) or b"").decode()
                self.clear_cookie(name)
        return str(self._state_cookie)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Say what failed, and nothing of the request."""
        # Tornado's own logs the whole request, and so the code.
        self.log.error("A login failed: %s", typ.__name__, exc_info=(typ, value, tb))


class Logout(LogoutEverywhere, OAuthLogoutHandler):  # type: ignore[misc]
    """Ends the sessions of all browsers, and the one with the provider."""
