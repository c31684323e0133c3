"""The hub's API for credentials: ``GET /hub/api/greyhub/credentials/AUDIENCE``.

Only a token that has the scope is answered, and for its own user. Cookies count for nothing:
pages of other users' servers may share the hub's origin.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.user import User
from tornado.web import HTTPError

from greyhub.auth.credentials.issuing import ENDED, Issuer, in_time
from greyhub.class_names import named_as
from greyhub.credentials import PATH, PAUSE
from greyhub.errors import CredentialError, CredentialRefused, CredentialUnavailable

SCOPE: Final = "custom:greyhub:credentials"
"""The scope of JupyterHub's that servers' tokens have for this."""

SCOPES: Final = {SCOPE: {"description": "Ask for one's own short-lived credentials"}}


class CredentialHandler(APIHandler):  # type: ignore[misc]
    """A credential of the token's own user."""

    _accept_cookie_auth = False
    issuer: Issuer

    def initialize(self, issuer: Issuer) -> None:
        """Tornado's way to give a handler its things."""
        self.issuer = issuer

    async def refresh_auth(self, user: Any, force: bool = False) -> Any:
        """Nothing yet: `get` asks, and can say what is wrong."""
        return user

    async def get(self, name: str) -> None:
        """The credential for an audience: its ``values``, ``expires_in`` and ``renew_in``."""
        user = self.current_user
        if not isinstance(user, User):
            raise HTTPError(403, "credentials are given to users' servers alone, by their tokens")
        if not self.has_scope(SCOPE):
            raise HTTPError(
                403,
                f"this token may not ask for credentials: it has no scope {SCOPE}\n"
                "  fix: stop this server and start it again from the hub's page",
            )
        try:
            if not await self._login_goes_on(user):
                raise CredentialRefused(ENDED)
            found = await self.issuer.get(user, name)
        except CredentialRefused as refused:
            raise HTTPError(403, str(refused)) from None
        except CredentialError as unavailable:
            error = HTTPError(503, str(unavailable))
            error.headers = {"Retry-After": str(int(PAUSE))}  # type: ignore[attr-defined]
            raise error from None
        self.set_header("Cache-Control", "no-store")
        times = {"expires_in": found.expires_in, "renew_in": found.renew_in}
        self.finish(json.dumps({"values": dict(found.values), **times}))

    async def _login_goes_on(self, user: Any) -> bool:
        """Whether the login is confirmed. For a token, JupyterHub goes on with one that is not."""
        self._token_authenticated = False
        try:
            asked = asyncio.create_task(super().refresh_auth(user))
            return await in_time(asked, "your login is not confirmed in time") is not None
        except HTTPError as error:
            if error.status_code < 500:
                raise
            raise CredentialUnavailable(
                "your login cannot be confirmed: the identity provider does not answer\n"
                "  fix: try again in a moment"
            ) from None


def with_credentials(cls: Any, issuer: Issuer) -> type:
    """An Authenticator class that brings the hub this handler, too."""

    class Authenticator(cls):  # type: ignore[misc]
        def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
            own = (rf"/api/{PATH}/([^/]+)", CredentialHandler, {"issuer": issuer})
            return [own, *super().get_handlers(app)]

    return named_as(Authenticator, cls)
