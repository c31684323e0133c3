"""One password for everyone who can reach this machine's own address."""

from __future__ import annotations

from collections.abc import Sequence

from greyhub.adapter import Contribution, Finding
from greyhub.auth import AuthAdapter
from greyhub.errors import ConfigError
from greyhub.public_address import is_loopback, public_host


class LocalAuth(AuthAdapter):
    """Tells the hub of `greyhub.auth.password.LocalPassword`, on loopback alone."""

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: an Authenticator class is the base class's."""
        return None

    def load_class(self) -> type:
        """The Authenticator class."""
        from greyhub.auth.password import LocalPassword

        return LocalPassword

    def contribute(self) -> Contribution:
        """The Authenticator class, and an address that only this machine can reach."""
        host = public_host(self.config)
        if host is not None and not is_loopback(host):
            raise ConfigError(
                f"the hub would listen on {host or 'every address'}, and one shared password "
                "must not leave this machine",
                where='c.GreyHub.auth = "local"',
                fix="listen on 127.0.0.1, or choose who may come: for example "
                'c.GreyHub.auth = "pam" for the accounts of this machine, or an OAuth provider '
                'such as c.GreyHub.auth = "oauthenticator.github.GitHubOAuthenticator"',
            )
        address = {} if host is not None else {"ip": "127.0.0.1"}
        return self.completed(
            Contribution(
                config={
                    "JupyterHub": {"authenticator_class": self.load_class(), **address},
                    "LocalPassword": {"state_dir": str(self.parent.private), "everyone": True},
                }
            )
        )

    async def check(self) -> Sequence[Finding]:
        """Says what one password for all means."""
        return [
            Finding(
                "note",
                "one password for everyone: whoever knows it can log in under any name",
                "choose another authenticator where users must be who they say",
            )
        ]

    def label(self) -> str:
        """One password, on this machine only."""
        return "one password, from this machine only"
