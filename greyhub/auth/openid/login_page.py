"""The login page, which says why the login before has ended."""

from __future__ import annotations

from typing import Any

from jupyterhub.handlers.login import LoginHandler

from greyhub.auth.openid.refresh import WHY


class LoginPage(LoginHandler):  # type: ignore[misc]
    """JupyterHub's page; a browser whose login a refresh has ended is told why.

    The browser still has the cookie of that login, so only whose it was reads this.
    """

    _ended = ""
    _token_authenticated = False  # JupyterHub 6.1 has none for cookies, and fails

    async def refresh_auth(self, user: Any, force: bool = False) -> Any:
        """Ask about the login that the browser has, and note why it has ended."""
        found = await super().refresh_auth(user, force)
        if found is None:
            self._ended = (await user.get_auth_state() or {}).get(WHY, "")
        return found

    def render_template(self, name: str, **values: Any) -> Any:
        """Tell the template ``login_ended``: why, in words for the user; empty if none has."""
        return super().render_template(name, login_ended=self._ended, **values)
