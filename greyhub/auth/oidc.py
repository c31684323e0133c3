"""Logins by any OpenID Connect provider, by its issuer alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from traitlets.config.loader import DeferredConfig

from greyhub.adapter import Contribution, Finding
from greyhub.auth import AuthAdapter
from greyhub.errors import ConfigError
from greyhub.kept_secret import kept_secret
from greyhub.public_address import is_loopback, public_host, public_port

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


class OpenIDConnect(AuthAdapter):
    """Tells the hub of `greyhub.auth.openid.authenticator.OIDCAuthenticator`."""

    modules = ("jwt", "oauthenticator")
    extra = "greyhub[oidc]"

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: an Authenticator class is the base class's."""
        return None

    def load_class(self) -> type:
        """The Authenticator class."""
        from greyhub.auth.openid.authenticator import OIDCAuthenticator

        return OIDCAuthenticator

    def contribute(self) -> Contribution:
        """The Authenticator class, and a key to keep tokens by."""
        self._refuse()
        own = {} if os.environ.get(KEY) else {"keys": KeptKey(self.parent.private / "crypt-key")}
        return self.with_credentials(
            Contribution(
                config={
                    "JupyterHub": {"authenticator_class": self.load_class()},
                    "OIDCAuthenticator": {"outage_grace": GRACE},
                    **({"CryptKeeper": own} if own else {}),
                }
            )
        )

    def _refuse(self) -> None:
        """Raise for what no login would work with."""
        from greyhub.auth.openid.http import is_safe

        made = self.dry_authenticator()
        section = "c.OIDCAuthenticator"
        if not made.issuer and not made.facts.endpoints:
            raise ConfigError(
                "no provider is named",
                where=f"{section}.issuer",
                fix="set it to the address that the provider calls itself, "
                "such as https://login.example.org/realms/science",
            )
        if made.issuer and not is_safe(made.issuer):
            raise ConfigError(
                f"{made.issuer} is no address that logins can be trusted to",
                where=f"{section}.issuer",
                fix="use an address that begins with https://",
            )
        if made.groups_url and not is_safe(made.groups_url):
            raise ConfigError(
                f"{made.groups_url} is no address that tokens may be sent to",
                where=f"{section}.groups_url",
                fix="use an address that begins with https://",
            )
        if not made.client_id:
            raise ConfigError(
                "the hub has no name at the provider",
                where=f"{section}.client_id",
                fix="register the hub with the provider, and set the id that it gives",
            )
        if self.audiences and not made.enable_auth_state:
            raise ConfigError(
                "credentials for servers come from the tokens of logins, and none are kept",
                where=f"{section}.enable_auth_state",
                fix="remove it, or remove c.AuthAdapter.audiences",
            )
        if not self._redirect(made):
            raise ConfigError(
                "it is not said by which address browsers reach this hub, and the provider sends "
                "them back there",
                where="c.JupyterHub.public_url",
                fix="set it, such as https://hub.example.org/, and register "
                "https://hub.example.org/hub/oauth_callback with the provider",
            )

    def _redirect(self, made: Any) -> str:
        """Where the provider sends browsers back to; empty if nothing says so."""
        if made.oauth_callback_url:
            return str(made.oauth_callback_url)
        hub = self.parent.config.JupyterHub
        base = f"/{str(hub.get('base_url', '')).strip('/')}/".replace("//", "/")
        public = str(hub.get("public_url") or "").rstrip("/")
        if public:
            # As JupyterHub has it: a public URL without a path gains the base URL.
            return f"{public}{'' if urlsplit(public).path else base.rstrip('/')}{CALLBACK}"
        host = public_host(self.parent.config)
        if host is None or not is_loopback(host):
            return ""
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{public_port(self.parent.config)}{base.rstrip('/')}{CALLBACK}"

    async def check(self) -> Sequence[Finding]:
        """Does the provider answer, know this hub, tell what the rules need, and the right time?"""
        from greyhub.auth.openid.live_check import findings

        made = self.dry_authenticator()
        return await findings(made, self._redirect(made))

    def label(self) -> str:
        """The provider."""
        made = self.dry_authenticator()
        return f"logins by {made.issuer or made.login_service}"
