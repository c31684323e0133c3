"""A correct authenticator: asks userinfo, and keeps in a file who has which name."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from weakref import WeakValueDictionary

from oauthenticator.generic import GenericOAuthenticator
from tornado.web import HTTPError
from traitlets import Any, Unicode

from tests.conformance.auth.handlers import Logout, TabCallback, TabLogin

LONGEST = 255


class Careful(GenericOAuthenticator):
    """GenericOAuthenticator, and what it falls short of."""

    login_handler = TabLogin
    callback_handler = TabCallback
    logout_handler = Logout

    registry = Unicode(help="The file that holds the subject of each name.").tag(config=True)
    domain = Unicode(help="Only people whose provider says hd=…").tag(config=True)
    hosted_domain = Unicode(help="Deprecated: use domain.").tag(config=True)
    locks = Any()

    _deprecated_oauth_aliases = {
        "hosted_domain": ("domain", "1.0"),
        **GenericOAuthenticator._deprecated_oauth_aliases,
    }

    def _locks_default(self):
        return WeakValueDictionary()

    # who it is

    def user_info_to_username(self, user_info):
        name = user_info.get(self.username_claim)
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
            raise HTTPError(403, "the provider tells no name that can be used")
        return name

    async def get_user_groups(self, auth_state):
        groups = self.info(auth_state).get("groups")
        if not isinstance(groups, list):
            return set()
        return {group for group in groups if isinstance(group, str)}

    async def get_token_info(self, handler, params):
        try:
            return await super().get_token_info(handler, params)
        except HTTPError:
            # What it says shows the whole answer.
            raise HTTPError(502, "the provider gave no access token") from None

    # who may come in

    def check_blocked_users(self, username, authentication=None):
        allowed = super().check_blocked_users(username, authentication)
        info = self.info(authentication["auth_state"])
        return allowed and self.domain in ("", info.get("hd"))

    async def run_post_auth_hook(self, handler, auth_model):
        subject = self.info(auth_model["auth_state"])["sub"]
        known = self.subjects()
        if known.setdefault(auth_model["name"], subject) != subject:
            raise HTTPError(403, "this name belongs to somebody else")
        self.keep(known)
        return await super().run_post_auth_hook(handler, auth_model)

    def delete_user(self, user):
        super().delete_user(user)
        known = self.subjects()
        known.pop(user.name, None)
        self.keep(known)

    # who may stay

    async def refresh_user(self, user, handler=None, **kwargs):
        lock = self.locks.setdefault(user.name, asyncio.Lock())
        async with lock:
            model = await super().refresh_user(user, handler, **kwargs)
            if not isinstance(model, dict):
                return model
            if not await self.still(user, model):
                return False
            # Before the next one asks: the hub stores it only later.
            await user.save_auth_state(model["auth_state"])
            return model

    async def still(self, user, model):
        """Whether a model is of the same person, who may still come in."""
        subject = self.info(model["auth_state"]).get("sub")
        if model["name"] != user.name or self.subjects().get(user.name) != subject:
            return False
        if not self.check_blocked_users(user.name, model):
            return False
        return self.allow_all or await self.check_allowed(user.name, model)

    # what it keeps

    def info(self, auth_state):
        return auth_state[self.user_auth_state_key]

    def subjects(self):
        path = Path(self.registry)
        return json.loads(path.read_text()) if path.exists() else {}

    def keep(self, subjects):
        Path(self.registry).write_text(json.dumps(subjects))
