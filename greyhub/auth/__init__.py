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
from traitlets import Dict, Enum
from traitlets.config import Config

from greyhub.adapter import Adapter, Contribution, Finding
from greyhub.errors import ConfigError
from greyhub.hub_tasks import run_in_hub
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

    refused_users = Enum(
        ["keep", "end"],
        "keep",
        help="What becomes of users whom the provider, or the rules, refuse while they have "
        "servers. ``keep``: their sessions end, and servers and API tokens go on. ``end``: "
        "servers are stopped, API tokens revoked, admin rights and told groups taken; users are "
        "asked about every ``auth_refresh_age`` seconds, also those who are away. Many providers "
        "refuse a login also for its age: then its servers are stopped, too.",
    ).tag(config=True)

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
        return self.completed(
            Contribution(config={"JupyterHub": {"authenticator_class": self.load_class()}})
        )

    def hub_starts(self, app: Any) -> None:
        """The hub starts: look for users who are refused, if `refused_users` says so."""
        from greyhub.auth.refused import end_refused

        if self.refused_users == "end":
            run_in_hub(end_refused(app))

    def completed(self, contribution: Contribution) -> Contribution:
        """A contribution, and what the options of every adapter in this slot need.

        Rules for groups, ``audiences`` and ``refused_users``.

        Raises
        ------
        greyhub.errors.ConfigError
            One of them cannot be as it is written.
        """
        from greyhub.auth.group_rules import with_group_rules

        refreshed = self.dry_authenticator().auth_refresh_age if self.refused_users == "end" else 1
        if not refreshed:
            raise ConfigError(
                "the hub would never ask whether a user may stay: auth_refresh_age is 0",
                where=self._option("refused_users"),
                fix="set c.Authenticator.auth_refresh_age to some seconds, such as 300",
            )
        hub = dict(contribution.config.get("JupyterHub", {}))
        hub["authenticator_class"] = with_group_rules(
            hub.get("authenticator_class") or self.load_class()
        )
        config = {**contribution.config, "JupyterHub": hub}
        return self._with_credentials(replace(contribution, config=config))

    def _option(self, name: str) -> str:
        """An option of this class as it is written: under its own section, or the base's."""
        base = name in self.parent.config.get("AuthAdapter", {})
        return f"c.{'AuthAdapter' if base else type(self).__name__}.{name}"

    def _with_credentials(self, contribution: Contribution) -> Contribution:
        if not self.audiences:
            return contribution
        from greyhub.auth.credentials.audiences import read
        from greyhub.auth.credentials.handler import SCOPE, SCOPES, with_credentials
        from greyhub.auth.credentials.issuing import Issuer
        from greyhub.auth.credentials.roles import roles

        audiences = read(self.audiences, self.load_class(), self._option("audiences"))
        hub = dict(contribution.config["JupyterHub"])
        issuer = Issuer(audiences, self.parent.log)
        hub["authenticator_class"] = with_credentials(hub["authenticator_class"], issuer)
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
