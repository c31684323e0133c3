"""Authenticators that are careless on the way to the provider and back."""

import itertools
import json

import jwt
from jupyterhub.handlers.login import LoginHandler
from oauthenticator.oauth2 import (
    OAuthCallbackHandler,
    OAuthLoginHandler,
    guess_callback_uri,
)
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.web import HTTPError
from traitlets import Bool, Set

from examples.auth.toyauth import ToyAuthenticator as Careful
from examples.auth.toyauth.handlers import TabCallback, TabLogin
from greyhub.auth.password import LocalPassword
from greyhub.conformance.mutation import mutant
from tests.conformance.auth.suites import CarefulSuite, Local, TokenedSuite
from tests.conformance.auth.tokened import Tokened


class Quiet(OAuthCallbackHandler):
    """One cookie for all tabs, as OAuthenticator has it; logs no code."""

    log_exception = TabCallback.log_exception


@mutant("AUTH-020", CarefulSuite)
class AnyState(Careful):
    """Does not compare the states."""

    login_handler = OAuthLoginHandler

    class callback_handler(Quiet):  # noqa: N801
        def check_state(self):
            pass


@mutant("AUTH-020", CarefulSuite)
class StateIfAny(Careful):
    """Compares the states where there is one."""

    login_handler = OAuthLoginHandler

    class callback_handler(Quiet):  # noqa: N801
        def check_state(self):
            if self.get_argument("state", ""):
                super().check_state()


@mutant("AUTH-021", CarefulSuite)
class CountsStates(Careful):
    """Numbers the logins."""

    class login_handler(TabLogin):  # noqa: N801
        numbers = itertools.count(1)

        def _generate_state_id(self):
            return f"{next(self.numbers):032x}"


@mutant("AUTH-021", CarefulSuite)
class KeepsStates(Careful):
    """Leaves the cookie of a state that was used."""

    class callback_handler(TabCallback):  # noqa: N801
        def clear_cookie(self, name, **kwargs):
            if not name.startswith("oauthenticator-state"):
                super().clear_cookie(name, **kwargs)


@mutant("AUTH-022", CarefulSuite)
class NoVerifier(Careful):
    """PKCE is off."""

    enable_pkce = Bool(False)


@mutant("AUTH-022", CarefulSuite)
class OneVerifier(Careful):
    """Makes the verifier once."""

    class login_handler(TabLogin):  # noqa: N801
        made: list = []

        def _generate_pkce_params(self):
            if not self.made:
                self.made.extend(super()._generate_pkce_params())
            return tuple(self.made)


@mutant("AUTH-023", CarefulSuite)
class WhereAsked(Careful):
    """Comes back to the host that the request names."""

    def get_callback_url(self, handler=None):
        base = handler.hub.server.base_url
        return guess_callback_uri(handler.request.protocol, handler.request.host, base)


@mutant("AUTH-023", CarefulSuite)
class WhereForwarded(Careful):
    """Comes back to the host that a proxy, or anybody, names."""

    def get_callback_url(self, handler=None):
        host = handler.request.headers.get("X-Forwarded-Host")
        if host:
            return guess_callback_uri("http", host, handler.hub.server.base_url)
        return super().get_callback_url(handler)


@mutant("AUTH-024", CarefulSuite)
class GoesAnywhere(Careful):
    """Takes next as it is."""

    class login_handler(TabLogin):  # noqa: N801
        def _get_next_url(self):
            return self.get_argument("next", None)


@mutant("AUTH-024", Local)
class FormGoesAnywhere(LocalPassword):
    """Takes next as it is, after a form."""

    def get_handlers(self, app):
        class Login(LoginHandler):
            def get_next_url(self, user=None, default=None):
                return self.get_argument("next", "") or super().get_next_url(user, default)

        return [("/login", Login), *super().get_handlers(app)]


@mutant("AUTH-025", CarefulSuite)
class GuestOnError(Careful):
    """Where the provider fails, the visitor is a guest."""

    async def authenticate(self, handler, data=None, **kwargs):
        try:
            return await super().authenticate(handler, data, **kwargs)
        except HTTPClientError as error:
            if error.code != 500:
                raise
            state = {self.user_auth_state_key: {"sub": "guest"}, "access_token": "none"}
            return {"name": "guest", "admin": None, "auth_state": state, "groups": []}


@mutant("AUTH-025", CarefulSuite)
class ShowsMarkup(Careful):
    """Shows what the provider said, as it said it."""

    class callback_handler(TabCallback):  # noqa: N801
        async def get(self):
            if self.get_argument("error", ""):
                self.set_status(400)
                self.finish(f"<html>{self.get_argument('error_description', '')}</html>")
                return
            await super().get()


@mutant("AUTH-026", CarefulSuite)
class KeepsCodes(Careful):
    """Remembers what a code has brought."""

    brought: dict = {}

    async def get_token_info(self, handler, params):
        code = params.get("code")
        if code not in self.brought:
            found = await super().get_token_info(handler, params)
            if code is None:
                return found
            self.brought[code] = found
        return self.brought[code]


@mutant("AUTH-026", CarefulSuite)
class KeepsAddresses(Careful):
    """An address that was good is good when the page is loaded again."""

    class callback_handler(TabCallback):  # noqa: N801
        good: dict = {}

        async def get(self):
            name = self.good.get(self.request.uri)
            if name is not None:
                self.set_login_cookie(self.find_user(name))
                self.redirect(self.hub.base_url)
                return
            await super().get()
            if self.get_status() == 302 and self.current_user is not None:
                self.good[self.request.uri] = self.current_user.name


class Loose(Tokened):
    """Reads ID tokens with fewer checks than it must."""

    options: dict = {}

    async def token_to_user(self, token_info):
        token = token_info["id_token"]
        try:
            key = await self.key(jwt.get_unverified_header(token)["kid"])
            how = {"algorithms": ["RS256"], "audience": self.client_id, "issuer": self.issuer}
            claims = jwt.decode(token, key, options=self.options, **how)
        except (jwt.InvalidTokenError, KeyError) as error:
            raise HTTPError(403, "the ID token is not good") from error
        if "groups" in claims.get("_claim_names", {}):
            claims["groups"] = await self.groups_of(token_info["access_token"])
        return claims


@mutant("AUTH-027", TokenedSuite)
class AnyAudience(Loose):
    """An ID token for another client will do."""

    options = {"verify_aud": False}


@mutant("AUTH-027", TokenedSuite)
class AnyIssuer(Loose):
    """An ID token of another issuer will do."""

    options = {"verify_iss": False}


@mutant("AUTH-027", TokenedSuite)
class AnyTime(Loose):
    """An old ID token will do."""

    options = {"verify_exp": False}


@mutant("AUTH-027", TokenedSuite)
class AnySignature(Loose):
    """Does not look at the signature."""

    options = {
        "verify_signature": False,
        "verify_aud": True,
        "verify_iss": True,
        "verify_exp": True,
    }


@mutant("AUTH-028", CarefulSuite)
class WaitsForEver(Careful):
    """Calls the provider without a limit."""

    async def httpfetch(self, url, *args, **kwargs):
        limits = {"request_timeout": 0, "connect_timeout": 0}
        return await super().httpfetch(url, *args, **limits, **kwargs)


@mutant("AUTH-028", CarefulSuite)
class Blocks(Careful):
    """Asks the provider in the hub's loop."""

    async def get_token_info(self, handler, params):
        import requests

        try:
            answer = requests.post(self.token_url, data=params, timeout=2)  # noqa: ASYNC210
        except requests.RequestException as error:
            raise HTTPError(502, "no answer") from error
        if answer.status_code >= 400:
            raise HTTPClientError(answer.status_code)
        try:
            found = answer.json()
        except ValueError:
            raise HTTPError(502, "no JSON") from None
        if "access_token" not in found:
            raise HTTPError(502, "no access token")
        return found


@mutant("AUTH-029", CarefulSuite)
class KeepsNonces(Careful):
    """Notes every state before it looks whether it is one."""

    class callback_handler(TabCallback):  # noqa: N801
        seen: set = set()

        def check_arguments(self):
            self.seen.add(self.get_argument("state", ""))
            super().check_arguments()


@mutant("AUTH-029", Local)
class CountsFailures(LocalPassword):
    """Counts the failures of every name that anybody types."""

    failures: dict = {}

    async def authenticate(self, handler, data):
        model = await super().authenticate(handler, data)
        if model is None:
            name = data["username"]
            self.failures[name] = self.failures.get(name, 0) + 1
        return model


@mutant("AUTH-024", Local)
class FormBeginsWithTheHub(LocalPassword):
    """An address that begins with the hub's is the hub's."""

    def get_handlers(self, app):
        return [("/login", BeginsWithTheHub), *super().get_handlers(app)]


class BeginsWithTheHub(LoginHandler):
    def _validate_next_url(self, next_url):
        here = f"{self.request.protocol}://{self.request.host}"
        return next_url if next_url.startswith(here) else super()._validate_next_url(next_url)


@mutant("AUTH-028", CarefulSuite)
class WaitsForUserinfo(Careful):
    """Asks for tokens with a limit, and who it is without."""

    async def token_to_user(self, token_info):
        headers = {"Authorization": f"Bearer {token_info['access_token']}"}
        limits = {"request_timeout": 0, "connect_timeout": 0}
        request = HTTPRequest(self.userdata_url, headers=headers, **limits)
        return json.loads((await self.http_client.fetch(request)).body)


@mutant("AUTH-029", CarefulSuite)
class KeepsUsedCodes(Careful):
    """Notes every code that it was given, so that none is used again."""

    used = Set()

    async def get_token_info(self, handler, params):
        self.used = {*self.used, params.get("code")}
        return await super().get_token_info(handler, params)
