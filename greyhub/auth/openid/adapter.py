"""What the adapters of OpenID Connect have in common: a key, an address, checks."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from traitlets.config.loader import DeferredConfig

from greyhub.adapter import Contribution, Finding
from greyhub.auth import AuthAdapter
from greyhub.errors import ConfigError, ConfigErrors
from greyhub.kept_secret import kept_secret
from greyhub.public_address import is_loopback, public_base, public_host, public_port

KEY: Final = "JUPYTERHUB_CRYPT_KEY"
"""JupyterHub's own variable for keys that users' tokens are encrypted by."""

GRACE: Final = 3600
"""Seconds for which a login outlasts an outage of the provider, if nothing else is set."""

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


class OpenIDAdapter(AuthAdapter):
    """Tells the hub of an `greyhub.auth.openid.authenticator.OIDCAuthenticator`."""

    modules = ("jwt", "oauthenticator")
    extra = "greyhub[oidc]"

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: an Authenticator class is the base class's."""
        return None

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
        from greyhub.auth.openid.provider_checks import refused

        made = self.dry_authenticator()
        if self.audiences and not made.enable_auth_state:
            yield ConfigError(
                "credentials for servers come from the tokens of logins, and none are kept",
                where=made.option("enable_auth_state"),
                fix="remove it, or remove c.AuthAdapter.audiences",
            )
        yield from refused(made, self._redirect)

    def _redirect(self, made: Any) -> str:
        """Where the provider sends browsers back to; empty if nothing says so."""
        if made.oauth_callback_url:
            return str(made.oauth_callback_url)
        page = f"{CALLBACK}/{made.word}" if made.word else CALLBACK
        if public := public_base(self.parent.config):
            return f"{public}{page}"
        base = f"/{str(self.parent.config.JupyterHub.get('base_url', '')).strip('/')}"
        host = public_host(self.parent.config)
        if host is None or not is_loopback(host):
            return ""
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{public_port(self.parent.config)}{base.rstrip('/')}{page}"

    async def check(self) -> Sequence[Finding]:
        """Does the provider answer, know this hub, tell what the rules need, and the right time?"""
        from greyhub.auth.openid.live_check import findings

        made = self.dry_authenticator()
        return await findings(made, self._redirect(made))

    def label(self) -> str:
        """The provider."""
        made = self.dry_authenticator()
        return f"logins by {made.issuer or made.login_service}"
