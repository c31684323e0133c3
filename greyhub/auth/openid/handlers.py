"""The pages of a login: to the provider, and back from it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

from oauthenticator.oauth2 import OAuthCallbackHandler, OAuthLoginHandler
from tornado.httputil import url_concat
from tornado.web import HTTPError

COOKIE: Final = "greyhub-login-"
"""What the name of a cookie begins with that holds one login; its state follows."""

MINUTES: Final = 15 / 24 / 60
"""A quarter of an hour, in days: how long a login may take."""

TABS: Final = 10
"""Logins that one browser may have begun."""


class Login(OAuthLoginHandler):  # type: ignore[misc]
    """Sends the browser to the provider; what belongs to the login is in a cookie of its own."""

    def initialize(self, one: Any = None) -> None:
        """``one`` is the authenticator whose provider it is, where the hub has several."""
        self.one = one or self.authenticator

    async def get(self) -> None:
        """Begin a login."""
        provider = self.one.provider
        metadata = await provider.metadata()
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        state = secrets.token_hex(16)
        hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            **self.one.extra_authorize_params,
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self.one.get_callback_url(self),
            "scope": " ".join(self.one.scope),
            "state": state,
            "code_challenge": hashed.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        if provider.openid:
            asked["nonce"] = nonce
        name = getattr(self.current_user, "name", "")
        if challenge := self.authenticator.challenges.pop(name, ""):
            asked["claims"] = challenge
        kept = {
            "provider": self.one.word,
            "verifier": verifier,
            "nonce": nonce,
            "next_url": self._get_next_url(),
        }
        begun = sorted(name for name in self.request.cookies if name.startswith(COOKIE))
        for name in begun[: max(0, len(begun) - TABS + 1)]:
            self.clear_cookie(name, path=self.hub.base_url)
        self._set_cookie(
            f"{COOKIE}{state}",
            json.dumps(kept),
            expires_days=MINUTES,
            path=self.hub.base_url,
            httponly=True,
            samesite="Lax",
        )
        self.redirect(url_concat(metadata.authorization_endpoint, asked))


class Callback(OAuthCallbackHandler):  # type: ignore[misc]
    """Takes back the browser, once for each login that it has begun."""

    login: dict[str, Any]
    """What belongs to the login: ``provider``, ``verifier``, ``nonce``, ``next_url``."""

    def initialize(self, one: Any = None) -> None:
        """``one`` is the authenticator whose provider it is, where the hub has several."""
        self.one = one or self.authenticator

    async def get(self) -> None:
        """End a login."""
        self.login = self._login()
        await self._check_issuer()
        if self.get_arguments("error"):
            said = (self.get_argument(name, "") for name in ("error", "error_description"))
            raise HTTPError(403, self.one.provider.ended(*said))
        self.code = self._one("code")
        user = await self.login_user()
        if user is None:
            raise HTTPError(403, self.one.custom_403_message)
        self.redirect(self.get_next_url(user))

    def get_next_url(self, user: Any = None) -> str:
        """Where the login was asked for, at this hub, or the user's own page."""
        wanted = self.login["next_url"]
        if isinstance(wanted, str) and wanted.startswith("/") and not urlsplit(wanted).netloc:
            return wanted
        return str(super(OAuthCallbackHandler, self).get_next_url(user))

    def _login(self) -> dict[str, Any]:
        """What the cookie of this login holds, which is used up by it."""
        state = self._one("state")
        if not re.fullmatch("[0-9a-f]{32}", state):
            raise HTTPError(400, "This is no login that was begun here. Log in again.")
        name = f"{COOKIE}{state}"
        cookie = self.get_secure_cookie(name, max_age_days=MINUTES)
        self.clear_cookie(name, path=self.hub.base_url)
        if not cookie:
            raise HTTPError(
                400, "This login was not begun in this browser, or took too long. Log in again."
            )
        found: dict[str, Any] = json.loads(cookie)
        # Mix-up: RFC 9700, 4.4. The code of one provider's login is sent to no other provider.
        if found["provider"] != self.one.word:
            raise HTTPError(400, "This login was begun at another provider. Log in again.")
        return found

    async def _check_issuer(self) -> None:
        """Refuse an answer that another provider has given: RFC 9207."""
        provider = self.one.provider
        metadata = await provider.metadata()
        said = self.get_arguments("iss")
        if said not in ([], [metadata.issuer]) and provider.openid:
            raise HTTPError(400, "Another provider has answered than was asked. Log in again.")
        if not said and metadata.authorization_response_iss_parameter_supported:
            raise HTTPError(400, "The answer does not say which provider gave it. Log in again.")

    def _one(self, name: str) -> str:
        found = self.get_arguments(name)
        if len(found) != 1 or not found[0]:
            raise HTTPError(400, f"The provider's answer holds no {name}, or more than one.")
        return str(found[0])

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Say what failed, and nothing of the request."""
        # Tornado's own logs the whole request, and so the code.
        if isinstance(value, HTTPError):
            self.log.warning("greyhub: a login failed: %s", value.log_message or value.status_code)
        else:
            self.log.error("greyhub: a login failed: %s", typ.__name__, exc_info=(typ, value, tb))
