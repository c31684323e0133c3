"""Logins by any OpenID Connect provider, by its issuer alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from traitlets import Dict, Unicode

from greyhub.adapter import Finding
from greyhub.auth.openid.adapter import OpenIDAdapter
from greyhub.errors import ConfigError

EACH: Final = 4.0
"""Seconds that the check of one of several providers may take, so that it is known which."""


class OpenIDConnect(OpenIDAdapter):
    """Tells the hub of `greyhub.auth.openid.authenticator.OIDCAuthenticator`, or of several."""

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

    def _problems(self) -> Iterator[ConfigError]:
        """What no login would work with."""
        from greyhub.auth.openid.provider_checks import problems

        if not self._several:
            yield from super()._problems()
            return
        own = dict(self._own())
        yield from problems(self.dry_instance, self.parent.config, own, self._redirect)

    async def check(self) -> Sequence[Finding]:
        """Does the provider answer, know this hub, tell what the rules need, and the right time?"""
        from greyhub.auth.openid.live_check import findings
        from greyhub.auth.openid.provider_checks import of_one

        if not self._several:
            return await super().check()

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
        if not self._several:
            return super().label()
        names = (each.issuer or each.login_service for each in self.dry_authenticators().values())
        return f"logins by {', '.join(names)}"
