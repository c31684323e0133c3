"""The authenticator: asks the provider who it is, and keeps in a file who has which name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from oauthenticator.generic import GenericOAuthenticator
from tornado.web import HTTPError
from traitlets import Instance, Unicode

from .handlers import Logout, TabCallback, TabLogin

LONGEST = 255
"""Characters of a name; JupyterHub's database has room for no more."""


class ToyAuthenticator(GenericOAuthenticator):  # type: ignore[misc]
    """GenericOAuthenticator, and what it falls short of."""

    login_handler = TabLogin
    callback_handler = TabCallback
    logout_handler = Logout

    registry = Unicode(help="The file that holds the subject of each name.").tag(config=True)
    domain = Unicode(help="Only people whose provider says hd=…").tag(config=True)
    hosted_domain = Unicode(help="Deprecated: use domain.").tag(config=True)
    locks = Instance(WeakValueDictionary, ())

    _deprecated_oauth_aliases = {  # noqa: RUF012 - as GenericOAuthenticator has it
        "hosted_domain": ("domain", "1.0"),
        **GenericOAuthenticator._deprecated_oauth_aliases,
    }

    # who it is

    def user_info_to_username(self, user_info: Mapping[str, Any]) -> str:
        """The name in the claim, if it is one."""
        name = user_info.get(self.username_claim)
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
            raise HTTPError(403, "the provider tells no name that can be used")
        return name

    async def get_user_groups(self, auth_state: Mapping[str, Any]) -> set[str]:
        """The groups in the claim, as far as they are names."""
        groups = self.info(auth_state).get("groups")
        if not isinstance(groups, list):
            return set()
        return {group for group in groups if isinstance(group, str)}

    async def get_token_info(self, handler: Any, params: Mapping[str, Any]) -> dict[str, Any]:
        """The provider's tokens; a failure does not show its answer."""
        try:
            found: dict[str, Any] = await super().get_token_info(handler, params)
            return found
        except HTTPError:
            # What it says shows the whole answer.
            raise HTTPError(502, "the provider gave no access token") from None

    # who may come in

    def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        """Also block who is of another domain."""
        allowed = super().check_blocked_users(username, authentication)
        info = self.info(authentication["auth_state"])
        return bool(allowed) and self.domain in ("", info.get("hd"))

    async def run_post_auth_hook(self, handler: Any, auth_model: dict[str, Any]) -> Any:
        """Refuse a name that is somebody else's."""
        subject = self.info(auth_model["auth_state"])["sub"]
        known = self.subjects()
        if known.setdefault(auth_model["name"], subject) != subject:
            raise HTTPError(403, "this name belongs to somebody else")
        self.keep(known)
        return await super().run_post_auth_hook(handler, auth_model)

    def delete_user(self, user: Any) -> None:
        """Free the name."""
        super().delete_user(user)
        known = self.subjects()
        known.pop(user.name, None)
        self.keep(known)

    # who may stay

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Ask the provider whether the user may stay; one at a time for each user."""
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

    async def still(self, user: Any, model: dict[str, Any]) -> bool:
        """Whether a model is of the same person, who may still come in."""
        subject = self.info(model["auth_state"]).get("sub")
        if model["name"] != user.name or self.subjects().get(user.name) != subject:
            return False
        if not self.check_blocked_users(user.name, model):
            return False
        return bool(self.allow_all or await self.check_allowed(user.name, model))

    # what it keeps

    def info(self, auth_state: Mapping[str, Any]) -> dict[str, Any]:
        """What the provider said of the person."""
        found: dict[str, Any] = auth_state[self.user_auth_state_key]
        return found

    def subjects(self) -> dict[str, str]:
        """The subject of each name."""
        path = Path(self.registry)
        return json.loads(path.read_text()) if path.exists() else {}

    def keep(self, subjects: Mapping[str, str]) -> None:
        """Remember whose the names are."""
        Path(self.registry).write_text(json.dumps(subjects))
