"""The auth slot: any `jupyterhub.auth.Authenticator`.

The slot's base adapts every Authenticator class as it is: by class, by import
string or by its name in JupyterHub's own entry points. Who may log in is
decided by that class and its options; by default that is nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Dict
from traitlets.config import Config

from greyhub.adapter import Adapter, Contribution, Finding
from greyhub.imports import points


class AuthAdapter(Adapter):
    """Fills the slot with a JupyterHub Authenticator class."""

    slot = "auth"

    authenticator_class = AnyTrait(
        help="The Authenticator class; its options are set on its own section.",
    )

    audiences = Dict(
        help="What users' servers may ask the hub for short-lived credentials for, by name. Each "
        "is a mapping: ``source`` says where they come from (``oidc``, the default; ``login``; "
        "``s3``; an import string), ``groups`` who may have them, and the rest are the source's "
        "options. What is not named is refused."
    ).tag(config=True, example={"storage": {"scope": "https://storage.azure.com/.default"}})

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """An Authenticator class, or its name among the ``jupyterhub.authenticators``."""
        from jupyterhub.auth import Authenticator

        if isinstance(value, str):
            installed = points("jupyterhub.authenticators").select(name=value)
            return {"authenticator_class": next(iter(installed)).load()} if installed else None
        if isinstance(value, type) and issubclass(value, Authenticator):
            return {"authenticator_class": value}
        return None

    def load_class(self) -> type:
        """The Authenticator class that the hub will use."""
        chosen: type = self.authenticator_class
        return chosen

    def contribute(self) -> Contribution:
        """The Authenticator class."""
        return self.with_credentials(
            Contribution(config={"JupyterHub": {"authenticator_class": self.load_class()}})
        )

    def with_credentials(self, contribution: Contribution) -> Contribution:
        """A contribution, and what the hub needs to give credentials for ``audiences``.

        Raises
        ------
        greyhub.errors.ConfigError
            One of them cannot be as it is written.
        """
        if not self.audiences:
            return contribution
        from greyhub.auth.credentials.audiences import read
        from greyhub.auth.credentials.handler import SCOPE, SCOPES, with_credentials
        from greyhub.auth.credentials.issuing import Issuer
        from greyhub.auth.credentials.roles import roles

        own = "audiences" not in self.parent.config.get("AuthAdapter", {})
        where = f"c.{type(self).__name__ if own else 'AuthAdapter'}.audiences"
        audiences = read(self.audiences, self.load_class(), where)
        hub = dict(contribution.config.get("JupyterHub", {}))
        hub["authenticator_class"] = with_credentials(
            hub.get("authenticator_class") or self.load_class(),
            Issuer(audiences, self.parent.log),
        )
        hub["custom_scopes"] = SCOPES
        return replace(
            contribution,
            config={**contribution.config, "JupyterHub": hub},
            roles=[*contribution.roles, *roles(self.parent.config, SCOPE)],
        )

    async def check(self) -> Sequence[Finding]:
        """Does the provider answer, know this hub, and agree on the time?"""
        from greyhub.auth.live_check import oauth
        from greyhub.class_names import made_from

        if not made_from(self.load_class(), "OAuthenticator"):
            return ()
        return await oauth(self.dry_authenticator())

    def dry_authenticator(self) -> Any:
        """The Authenticator with its options set, and nothing started."""
        return self.dry_instance(self.load_class(), self.parent.config).made

    @staticmethod
    def dry_instance(cls: type, config: Config) -> Any:
        """An object of a class, and what is wrong; see `greyhub.checks.dry_instances`."""
        from greyhub.checks.dry_instances import dry_instance

        return dry_instance(cls, config)

    def dry_authenticators(self) -> Mapping[str, Any]:
        """The Authenticators with rules of their own, by name; none if there is one for all."""
        return {}

    def label(self) -> str:
        """The name of the Authenticator class."""
        return self.load_class().__name__
