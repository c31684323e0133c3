"""Logins by Microsoft Entra ID (Azure Active Directory)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from greyhub.adapter import Finding
from greyhub.auth.openid.adapter import OpenIDAdapter
from greyhub.errors import ConfigError


class Entra(OpenIDAdapter):
    """Tells the hub of `greyhub.auth.openid.entra.authenticator.EntraAuthenticator`."""

    def load_class(self) -> type:
        """The Authenticator class."""
        from greyhub.auth.openid.entra.authenticator import EntraAuthenticator

        return EntraAuthenticator

    def _problems(self) -> Iterator[ConfigError]:
        """What no login would work with."""
        from greyhub.auth.openid.entra.problems import audiences, problems

        found = [
            *problems(self.dry_authenticator()),
            *audiences(self.audiences, "c.AuthAdapter.audiences"),
        ]
        yield from found or super()._problems()

    async def check(self) -> Sequence[Finding]:
        """Does the directory know this hub, and its proof of itself; what ends when?"""
        from greyhub.auth.openid.entra.live_check import findings

        made = self.dry_authenticator()
        return await findings(made, self._redirect(made))

    def label(self) -> str:
        """The directories."""
        tenants = sorted(self.dry_authenticator().tenants)
        return f"logins by Microsoft Entra ID, {', '.join(tenants) or 'of no directory'}"
