"""Authenticators whose sessions outlive what they stand for, or end too early."""

import asyncio

from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from oauthenticator.oauth2 import STATE_COOKIE_NAME, OAuthLoginHandler
from tornado.web import HTTPError

from examples.auth.toyauth import ToyAuthenticator as Careful
from examples.auth.toyauth.handlers import Logout
from greyhub.auth.password import LocalPassword
from greyhub.conformance.mutation import mutant
from tests.conformance.auth.mutants_exchange import Quiet
from tests.conformance.auth.suites import CarefulSuite, Local, TokenedSuite
from tests.conformance.auth.tokened import OPEN, Tokened


@mutant("AUTH-040", CarefulSuite)
class NeverRefreshes(Careful):
    """Asks for a new login when the access token has expired."""

    async def get_token_info(self, handler, params):
        if params["grant_type"] == "refresh_token":
            raise HTTPError(403, "not here")
        return await super().get_token_info(handler, params)


@mutant("AUTH-041", CarefulSuite)
class OutageIsFresh(Careful):
    """What cannot be asked is as it was."""

    async def refresh_user(self, user, handler=None, **kwargs):
        try:
            return await super().refresh_user(user, handler, **kwargs)
        except Exception:
            return True


@mutant("AUTH-042", CarefulSuite)
class GroupsAtLogin(Careful):
    """Groups are asked for at a login only."""

    async def refresh_user(self, user, handler=None, **kwargs):
        model = await super().refresh_user(user, handler, **kwargs)
        if isinstance(model, dict) and "groups" in model:
            model["groups"] = None
        return model


@mutant("AUTH-043", CarefulSuite)
class OnceInAlwaysIn(Careful):
    """Looks who it is, and not whether they may come in."""

    async def still(self, user, model):
        subject = self.info(model["auth_state"]).get("sub")
        return model["name"] == user.name and self.subjects().get(user.name) == subject


@mutant("AUTH-044", CarefulSuite)
class AnybodysToken(Careful):
    """Looks whether they may come in, and not who it is."""

    async def still(self, user, model):
        may = self.allow_all or await self.check_allowed(user.name, model)
        return may and self.check_blocked_users(user.name, model)


@mutant("AUTH-044", CarefulSuite)
class SameNameWillDo(Careful):
    """Compares names alone."""

    async def still(self, user, model):
        may = self.allow_all or await self.check_allowed(user.name, model)
        may = may and self.check_blocked_users(user.name, model)
        return may and model["name"] == user.name


@mutant("AUTH-045", TokenedSuite)
class TwoAtOnce(Tokened):
    """Nobody waits for anybody."""

    def _locks_default(self):
        class Open(dict):
            def setdefault(self, key, value):
                return asyncio.Lock()

        return Open()


@mutant("AUTH-050", CarefulSuite)
class StaysIn(Careful):
    """The logout is a page."""

    class logout_handler(Logout):  # noqa: N801
        async def default_handle_logout(self):
            pass


@mutant("AUTH-050", Local)
class ClearsAnother(LocalPassword):
    """The logout clears the cookie of the session, not that of the login."""

    def get_handlers(self, app):
        class HalfLogout(Logout):
            async def default_handle_logout(self):
                self.clear_cookie("jupyterhub-session-id", path=self.base_url)

            async def handle_logout(self):
                pass

            async def render_logout_page(self):
                self.redirect(self.settings["login_url"])

        return [("/logout", HalfLogout), *super().get_handlers(app)]


@mutant("AUTH-051", CarefulSuite)
class FirstTabWins(Careful):
    """Keeps the cookie of the first tab."""

    class login_handler(OAuthLoginHandler):  # noqa: N801
        def set_state_cookie(self, state_cookie_value):
            if not self.get_cookie(STATE_COOKIE_NAME):
                super().set_state_cookie(state_cookie_value)

    callback_handler = Quiet


@mutant("AUTH-052", CarefulSuite)
class LeadsAnywhere(Careful):
    """The logout leads to where the request says."""

    class logout_handler(Logout):  # noqa: N801
        async def render_logout_page(self):
            there = self.get_argument("next", self.authenticator.logout_redirect_url)
            self.redirect(there or self.settings["login_url"])


@mutant("AUTH-053", CarefulSuite)
class NeverStops(Careful):
    """Waits for what does not come when a server stops."""

    async def post_spawn_stop(self, user, spawner):
        await asyncio.Event().wait()


@mutant("AUTH-053", TokenedSuite)
class LeavesOpen(Tokened):
    """Closes what it has opened only where the server had come up."""

    def post_spawn_stop(self, user, spawner):
        if spawner.orm_spawner.server is not None:
            OPEN.discard(f"{user.name}/{spawner.name}")


@mutant("AUTH-054", CarefulSuite)
class OpenHandler(Careful):
    """Has an address where any site may send something."""

    def get_handlers(self, app):
        class Note(BaseHandler):
            def check_xsrf_cookie(self):
                pass

            def post(self):
                self.finish("noted")

        return [*super().get_handlers(app), ("/oauth_note", Note)]


@mutant("AUTH-054", Local)
class OpenForm(LocalPassword):
    """Takes the login form from any site."""

    def get_handlers(self, app):
        class Login(LoginHandler):
            def check_xsrf_cookie(self):
                pass

        return [("/login", Login), *super().get_handlers(app)]


@mutant("AUTH-040", CarefulSuite)
class KeepsTheFirstRefreshToken(Careful):
    """Takes the new access token, and goes on with the old refresh token."""

    async def refresh_user(self, user, handler=None, **kwargs):
        kept = await user.get_auth_state()
        model = await super().refresh_user(user, handler, **kwargs)
        if isinstance(model, dict) and kept:
            model["auth_state"]["refresh_token"] = kept["refresh_token"]
            await user.save_auth_state(model["auth_state"])
        return model


@mutant("AUTH-043", CarefulSuite)
class DomainsAtLogin(Careful):
    """Looks at the domain at a login only."""

    async def still(self, user, model):
        subject = self.info(model["auth_state"]).get("sub")
        if model["name"] != user.name or self.subjects().get(user.name) != subject:
            return False
        return bool(self.allow_all or await self.check_allowed(user.name, model))
