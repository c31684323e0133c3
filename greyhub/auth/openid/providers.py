"""The Authenticator of a hub whose users log in at one of several providers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jupyterhub.utils import url_path_join
from traitlets import Dict, default
from traitlets.config import Config
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from greyhub.auth.openid.authenticator import OIDCAuthenticator
from greyhub.auth.openid.errors import Refused
from greyhub.auth.openid.login_page import LoginPage
from greyhub.auth.openid.options import OIDCOptions
from greyhub.deferred_secrets import read_secrets

WORD: Final = re.compile("[a-z0-9][a-z0-9-]{0,30}")
"""What a provider may be called: it is part of addresses."""

NOBODY: Final[Mapping[str, Any]] = {
    "allow_all": False,
    "allow_existing_users": False,
    "allowed_users": set(),
    "allowed_groups": set(),
    "admin_users": set(),
    "admin_groups": set(),
}
"""Options that let people in or give rights, which are said for each provider by itself."""

OWN: Final = frozenset(
    {
        *(name for name in OIDCOptions.class_own_traits(config=True)),
        *NOBODY,
        "blocked_users",
        "client_id",
        "client_secret",
        "custom_403_message",
        "extra_authorize_params",
        "http_request_kwargs",
        "login_service",
        "logout_redirect_url",
        "oauth_callback_url",
        "scope",
    }
)
"""The options that a provider may have of its own; the others are the whole hub's."""

PAGE: Final = Path(__file__).parents[2] / "templates" / "login_providers.html"


def configured(config: Config) -> dict[str, dict[str, Any]]:
    """The options of each provider by its word, with their secrets read; empty if there is one.

    Options that admit anybody are never inherited: they are there for each provider.
    """
    value = config.get("OpenIDConnect", {}).get("providers") or {}
    if isinstance(value, LazyConfigValue):
        value = value.get_value({})
    elif isinstance(value, DeferredConfig):
        value = value.get_value(Dict())
    return {str(word): dict(own) for word, own in read_secrets(value).items()}


def complete(word: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's own options, and those that it does not take from all."""
    named = {} if own.get("preset") else {"login_service": word.capitalize()}
    return {"word": word, **deepcopy(NOBODY), **named, **own}


@dataclass(frozen=True)
class Choice:
    """What the login page shows of a provider."""

    word: str
    title: str

    @property
    def mark(self) -> str:
        """Two letters at most."""
        words = [word for word in re.findall(r"\w+", self.title) if not word[0].islower()]
        return "".join(word[0] for word in words[:2]) or self.title[:1].upper()


class OIDCProviders(OIDCAuthenticator):
    """Logins at one of several OpenID Connect providers, each with its own rules.

    It holds an `OIDCAuthenticator` for each entry of ``c.OpenIDConnect.providers``,
    and lets that of the user's login decide; ``c.OIDCAuthenticator`` are the defaults.
    """

    holds_others = True
    """Others have the options and do the work."""

    providers = Dict(help="The authenticator of each provider, by its word.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name, nobody in deepcopy(NOBODY).items():  # JupyterHub itself lets in by them, too
            setattr(self, name, nobody)

    @default("providers")
    def _default_providers(self) -> dict[str, OIDCAuthenticator]:
        return {word: self._made(word, own) for word, own in configured(self.config).items()}

    def _made(self, word: str, own: Mapping[str, Any]) -> OIDCAuthenticator:
        made = OIDCAuthenticator(parent=self.parent, config=self.config, **complete(word, own))
        for name in ("allowed_users", "admin_users", "blocked_users"):
            setattr(made, name, set(map(self.normalize_username, getattr(made, name))))
        made.identities_are_kept = self.identities_are_kept
        return made

    def of(self, auth_state: Mapping[str, Any] | None) -> OIDCAuthenticator | None:
        """The authenticator of a login; None if its provider is none of this hub's any more."""
        state = auth_state or {}
        word, issuer = state.get("provider"), state.get("issuer")
        found = [
            one
            for one in self.providers.values()
            if one.provider.issuer == issuer and word in (None, one.word)
        ]
        return found[0] if len(found) == 1 else None

    def issuer_of_user(self, username: str) -> str:
        """The issuer of the only provider whose rules name a user; empty if there is none."""
        found = {
            one.identity_issuer
            for one in self.providers.values()
            if username in one.allowed_users | one.admin_users
        }
        return found.pop() if len(found) == 1 else ""

    # the page

    @property
    def choices(self) -> list[Choice]:
        """What the login page offers."""
        return [Choice(word, str(one.login_service)) for word, one in self.providers.items()]

    def get_custom_html(self, base_url: str) -> str:
        """The login page's list of providers."""
        return PAGE.read_text(encoding="utf-8")

    def login_url(self, base_url: str) -> str:
        """Where a login begins: at the only provider, or where one is chosen."""
        words = list(self.providers)
        path = ["oauth_login", *words] if len(words) == 1 else ["login"]
        return str(url_path_join(base_url, *path))

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:
        """The pages of each provider's logins, and a logout."""
        pages: list[tuple[Any, ...]] = [("/logout", self.logout_handler), ("/login", LoginPage)]
        for word, one in self.providers.items():
            pages.append((f"/oauth_login/{word}", self.login_handler, {"one": one}))
            pages.append((f"/oauth_callback/{word}", self.callback_handler, {"one": one}))
        return pages

    # what the provider's own authenticator decides

    async def authenticate(self, handler: Any, data: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Who has come back from the provider that the page is for."""
        one: OIDCAuthenticator | None = getattr(handler, "one", None)
        if one is None:
            raise Refused("Choose where to log in.")
        return await one.authenticate(handler, data, **kwargs)

    async def check_allowed(self, username: str, auth_model: Any) -> bool:
        """Whether the rules of the provider admit a user."""
        one = self.of((auth_model or {}).get("auth_state"))
        return one is not None and await one.check_allowed(username, auth_model)

    def check_blocked_users(self, username: str, authentication: Any = None) -> bool:
        """Whether the rules of the provider do not keep a user out."""
        one = self.of((authentication or {}).get("auth_state"))
        return one is not None and bool(one.check_blocked_users(username, authentication))

    def is_admin(self, handler: Any, authentication: Mapping[str, Any]) -> bool | None:
        """Whether the rules of the provider make a user an admin; None: as before."""
        one = self.of(authentication.get("auth_state"))
        return one.is_admin(handler, authentication) if one else None

    # what all are told

    def check_allow_config(self) -> None:
        """Warn of a provider by which nobody can come in."""
        for one in self.providers.values():
            one.check_allow_config()

    def add_user(self, user: Any) -> None:
        """There is another user."""
        super().add_user(user)
        for one in self.providers.values():
            one.add_user(user)

    def delete_user(self, user: Any) -> None:
        """A user is no more."""
        super().delete_user(user)
        for one in self.providers.values():
            one.delete_user(user)
