"""Logins by any OpenID Connect provider, by its issuer alone."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from traitlets import Dict, Unicode
from traitlets.config.loader import DeferredConfig

from greyhub.adapter import Contribution, Finding
from greyhub.auth import AuthAdapter
from greyhub.errors import ConfigError, ConfigErrors
from greyhub.kept_secret import kept_secret
from greyhub.public_address import is_loopback, public_host, public_port

KEY: Final = "JUPYTERHUB_CRYPT_KEY"
"""JupyterHub's own variable for keys that users' tokens are encrypted by."""

GRACE: Final = 3600
"""Seconds for which a login outlasts an outage of the provider, if nothing else is set."""


EACH: Final = 4.0
"""Seconds that the check of one of several providers may take, so that it is known which."""

CALLBACK: Final = "/hub/oauth_callback"
"""The hub's page that the provider sends browsers back to."""


class KeptKey(DeferredConfig):
    """A key in a file of the hub's own, which is made where there is a directory for it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get_value(self, trait: Any) -> list[str]:
        """The key, as ``c.CryptKeeper.keys`` takes it."""
        if not self.path.parent.is_dir():
            return [secrets.token_hex(32)]  # no hub has started yet: a check makes nothing
        return [kept_secret(self.path)]

    def __repr__(self) -> str:
        return f"what is in {self.path}"


class OpenIDConnect(AuthAdapter):
    """Tells the hub of `greyhub.auth.openid.authenticator.OIDCAuthenticator`, or of several."""

    modules = ("jwt", "oauthenticator")
    extra = "greyhub[oidc]"

    providers = Dict(
        Dict(),
        key_trait=Unicode(),
        help="Several providers on one login page: each has a word, which is part of addresses, "
        "and options of ``OIDCAuthenticator`` for its users alone. What lets people in or gives "
        "rights is said there; ``c.OIDCAuthenticator`` is the default of the other options.",
    ).tag(
        config=True,
        example={
            "university": {
                "issuer": "https://login.example.org/realms/science",
                "client_id": "greyhub",
                "allowed_groups": {"staff"},
            },
            "github": {
                "preset": "github",
                "client_id": "greyhub",
                "username_prefix": "gh-",
                "allowed_users": {"gh-ada"},
            },
        },
    )

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: an Authenticator class is the base class's."""
        return None

    def load_class(self) -> type:
        """The Authenticator class."""
        from greyhub.auth.openid.authenticator import OIDCAuthenticator
        from greyhub.auth.openid.providers import OIDCProviders

        return OIDCProviders if self._several else OIDCAuthenticator

    @property
    def _several(self) -> bool:
        """Whether providers are named, be it in a way that is refused."""
        config = self.parent.config if self.parent else self.config
        return bool(self.providers or config.get("OpenIDConnect", {}).get("providers"))

    def dry_authenticators(self) -> Mapping[str, Any]:
        """The Authenticator of each of several providers, with its options set; else none."""
        from greyhub.auth.openid.provider_checks import dry

        config = self.parent.config
        return {word: dry(self.dry_instance, config, word, own).made for word, own in self._own()}

    def _own(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        return ((str(word), own) for word, own in self.providers.items())

    def contribute(self) -> Contribution:
        """The Authenticator class, and a key to keep tokens by."""
        if problems := list(self._problems()):
            raise ConfigErrors(problems) if problems[1:] else problems[0]
        own = {} if os.environ.get(KEY) else {"keys": KeptKey(self.parent.private / "crypt-key")}
        return self.completed(
            Contribution(
                config={
                    "JupyterHub": {"authenticator_class": self.load_class()},
                    "OIDCAuthenticator": {"outage_grace": GRACE},
                    **({"CryptKeeper": own} if own else {}),
                }
            )
        )

    def _problems(self) -> Iterator[ConfigError]:
        """What no login would work with."""
        from greyhub.auth.openid.provider_checks import problems, refused

        if not self._several:
            made = self.dry_authenticator()
            if self.audiences and not made.enable_auth_state:
                yield ConfigError(
                    "credentials for servers come from the tokens of logins, and none are kept",
                    where="c.OIDCAuthenticator.enable_auth_state",
                    fix="remove it, or remove c.AuthAdapter.audiences",
                )
            yield from refused("", made, self._redirect)
            return
        own = dict(self._own())
        yield from problems(self.dry_instance, self.parent.config, own, self._redirect)

    def _redirect(self, made: Any) -> str:
        """Where the provider sends browsers back to; empty if nothing says so."""
        if made.oauth_callback_url:
            return str(made.oauth_callback_url)
        page = f"{CALLBACK}/{made.word}" if made.word else CALLBACK
        hub = self.parent.config.JupyterHub
        base = f"/{str(hub.get('base_url', '')).strip('/')}/".replace("//", "/")
        public = str(hub.get("public_url") or "").rstrip("/")
        if public:
            # As JupyterHub has it: a public URL without a path gains the base URL.
            return f"{public}{'' if urlsplit(public).path else base.rstrip('/')}{page}"
        host = public_host(self.parent.config)
        if host is None or not is_loopback(host):
            return ""
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{public_port(self.parent.config)}{base.rstrip('/')}{page}"

    async def check(self) -> Sequence[Finding]:
        """Does the provider answer, know this hub, tell what the rules need, and the right time?"""
        from greyhub.auth.openid.live_check import findings
        from greyhub.auth.openid.provider_checks import of_one

        if not self._several:
            made = self.dry_authenticator()
            return await findings(made, self._redirect(made))

        async def asked(made: Any) -> Sequence[Finding]:
            try:
                return await asyncio.wait_for(findings(made, self._redirect(made)), EACH)
            except TimeoutError:
                fix = "see whether the provider is up, and whether the hub's machine reaches it"
                return [Finding("error", f"no answer within {EACH:g} s", fix)]

        each = self.dry_authenticators()
        found = zip(each, await asyncio.gather(*map(asked, each.values())), strict=True)
        return [of_one(word, finding) for word, all_of_it in found for finding in all_of_it]

    def label(self) -> str:
        """The provider, or all of them."""
        made = self.dry_authenticators() or {"": self.dry_authenticator()}
        names = (each.issuer or each.login_service for each in made.values())
        return f"logins by {', '.join(names)}"
