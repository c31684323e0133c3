"""Handlers that both references use: a login in each tab, a logout that ends all sessions."""

from __future__ import annotations

import re
import secrets

from oauthenticator.oauth2 import (
    STATE_COOKIE_NAME,
    OAuthCallbackHandler,
    OAuthLoginHandler,
    OAuthLogoutHandler,
    _deserialize_state,
)

from greyhub.auth.logout import LogoutEverywhere

MINUTES = 15 / 24 / 60


class TabLogin(OAuthLoginHandler):
    """Keeps what belongs to a login in a cookie of its own, for some minutes."""

    def _generate_state_id(self):
        return secrets.token_hex(16)

    def set_state_cookie(self, state_cookie_value):
        state = _deserialize_state(state_cookie_value)["state_id"]
        name = f"{STATE_COOKIE_NAME}-{state}"
        self._set_cookie(name, state_cookie_value, expires_days=MINUTES, httponly=True)


class TabCallback(OAuthCallbackHandler):
    """Finds the cookie by the state that came back."""

    def get_state_cookie(self):
        if self._state_cookie is None:
            said = _deserialize_state(self.get_state_url().encode("ascii", "replace"))
            state = said.get("state_id") if isinstance(said, dict) else None
            self._state_cookie = ""
            if isinstance(state, str) and re.fullmatch("[0-9a-f]{32}", state):
                name = f"{STATE_COOKIE_NAME}-{state}"
                self._state_cookie = (self.get_secure_cookie(name) or b"").decode()
                self.clear_cookie(name)
        return self._state_cookie

    def log_exception(self, typ, value, tb):
        # Tornado's own logs the whole request, and so the code.
        self.log.error("A login failed: %s", typ.__name__, exc_info=(typ, value, tb))


class Logout(LogoutEverywhere, OAuthLogoutHandler):
    pass
