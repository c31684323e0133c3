"""The Authenticator of Entra's directories: who somebody is, their name, groups and roles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from traitlets import Any as AnyTrait
from traitlets import Dict, List, Unicode, default, validate

from greyhub.auth.openid import claims as reading
from greyhub.auth.openid.authenticator import OIDCAuthenticator
from greyhub.auth.openid.entra.clouds import PERSONAL, Cloud, cloud_of
from greyhub.auth.openid.entra.proof import by_certificate, by_federation
from greyhub.auth.openid.entra.provider import ANY, EntraProvider
from greyhub.auth.openid.errors import Refused
from greyhub.auth.openid.provider import Misconfigured

ID: Final = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
"""An object's or a directory's id."""

GROUPS: Final = "groups"
"""The claim that holds ids of groups."""

MEMBER_OF: Final = "/v1.0/me/transitiveMemberOf?$select=id&$top=999"
"""Where Graph tells a user's groups: https://learn.microsoft.com/graph/api/user-list-transitivememberof"""


class EntraAuthenticator(OIDCAuthenticator):
    """Logins by Microsoft Entra ID, of one directory or of those that are named.

    Who somebody is, is their directory and their object id there (``tid``, ``oid``):
    neither changes, and neither is given to anybody else.
    """

    section = "EntraAuthenticator"
    provider_class = EntraProvider

    # What one provider leaves no room for.
    preset = "entra"
    issuer = Unicode(help="The directory's; of several, with what stands for one.")
    groups_url = Unicode(help="Where Graph tells groups.")

    tenant = Unicode(
        help="The id of the directory (tenant) whose members may log in. With "
        "``allowed_tenants`` it is the hub's own: names in rules are those of its members."
    ).tag(config=True, example="00000000-0000-0000-0000-000000000000")

    allowed_tenants = List(
        Unicode(),
        help="The ids of further directories whose members may log in. Microsoft's personal "
        f"accounts are of the directory ``{PERSONAL}``.",
    ).tag(config=True, example=["22222222-2222-2222-2222-222222222222"])

    cloud = AnyTrait(
        "public",
        help="Microsoft's cloud: ``public``, ``usgov`` or ``china``; or its addresses, as a "
        "mapping of ``authority`` and ``graph``.",
    ).tag(config=True, example="usgov")

    username_domain = Unicode(
        help="The domain that user names of ``tenant`` are written without: with ``example.org``, "
        "``ada@example.org`` is ``ada``. Names of other domains stay whole, so that no two are one."
    ).tag(config=True, example="example.org")

    group_names = Dict(
        Unicode(),
        key_trait=Unicode(),
        help="Hub groups by the object ids of groups. With it, groups that are not named are none "
        "of the hub's; without it, each is called by its id.",
    ).tag(config=True, example={"33333333-3333-3333-3333-333333333333": "staff"})

    client_certificate = Unicode(
        help="A PEM file with a certificate and its key, by which the hub proves who it is, "
        "instead of ``client_secret``."
    ).tag(config=True, example="/etc/greyhub/entra.pem")

    federated_token_file = Unicode(
        help="A file with a token by which the hub proves who it is, instead of "
        "``client_secret``: workload identity federation."
    ).tag(config=True, example="/var/run/secrets/azure/tokens/azure-identity-token")

    # defaults

    @default("scope")
    def _default_scope(self) -> list[str]:
        # Graph tells a user's groups to who has User.Read, in each cloud under its own address.
        return ["openid", "profile", "email", "offline_access", f"{self.at.graph}/User.Read"]

    @default("groups_claim")
    def _default_groups_claim(self) -> str | list[str]:
        return [GROUPS, "roles"]

    @default("groups_url")
    def _default_groups_url(self) -> str:
        return f"{self.at.graph}{MEMBER_OF}"

    @default("issuer")
    def _default_issuer(self) -> str:
        one = len(self.tenants) == 1
        return self.at.issuer(next(iter(self.tenants)) if one else ANY)

    @validate("tenant")
    def _lower(self, proposal: Any) -> str:
        return str(proposal["value"]).strip().lower()

    @validate("allowed_tenants")
    def _all_lower(self, proposal: Any) -> list[str]:
        return [each.strip().lower() for each in proposal["value"]]

    @validate("cloud")
    def _known_cloud(self, proposal: Any) -> Any:
        cloud_of(proposal["value"])
        return proposal["value"]

    @property
    def at(self) -> Cloud:
        """The addresses of the cloud."""
        return cloud_of(self.cloud)

    @property
    def tenants(self) -> frozenset[str]:
        """The directories whose members may log in."""
        return frozenset(filter(None, (self.tenant, *self.allowed_tenants)))

    @property
    def takes_personal_accounts(self) -> bool:
        """Whether anybody who has an account of Microsoft's may be let in."""
        return PERSONAL in self.tenants

    @property
    def directory(self) -> str:
        """What stands for the directory in addresses: an id, or a word for several."""
        if self.tenants == {PERSONAL}:
            return "consumers"
        if len(self.tenants) == 1:
            return next(iter(self.tenants))
        return "common" if self.takes_personal_accounts else "organizations"

    def provider_options(self) -> dict[str, Any]:
        """What the provider is made with besides."""
        proof = None
        if self.client_certificate:
            proof = by_certificate(self.client_certificate, self.client_id)
        elif self.federated_token_file:
            proof = by_federation(self.federated_token_file)
        known: dict[str, Any] = {"cloud": self.at, "directory": self.directory}
        return {**known, "tenants": self.tenants, "proof": proof}

    # who it is

    def who(self, claims: Mapping[str, Any]) -> tuple[str, str]:
        """The issuer of the user's directory, and their object id there."""
        subject = claims.get("oid")
        if not isinstance(subject, str) or not ID.fullmatch(subject):
            raise Refused("Microsoft Entra ID does not tell your object id: the claim oid.")
        return self.at.issuer(claims["tid"]), subject

    def of(self, auth_state: Mapping[str, Any] | None) -> OIDCAuthenticator | None:
        """Itself; None for a login of a directory that is not admitted any more."""
        issuer = (auth_state or {}).get("issuer")
        return self if issuer in (None, *map(self.at.issuer, self.tenants)) else None

    def issuer_of_user(self, username: str) -> str:
        """The issuer of the directory whose member a user must be; empty if it may be any."""
        if len(self.tenants) == 1:
            return self.at.issuer(next(iter(self.tenants)))
        named = username in self.allowed_users | self.admin_users
        return self.at.issuer(self.tenant) if named and self.tenant else ""

    def proposed_name(self, claims: Mapping[str, Any]) -> str:
        """The name that a user gets: of the own directory, without the domain."""
        name = super().proposed_name(claims)
        own = len(self.tenants) == 1 or claims.get("tid") == self.tenant
        if not own and "@" not in name:
            raise Refused(f"Your {self.username_claim} does not say which directory it is of.")
        before, _, domain = name.rpartition("@")
        if own and before and domain.lower() == self.username_domain.lower():
            return before
        return name

    # groups

    async def listed_groups(
        self, path: str, claims: Mapping[str, Any], access_token: str
    ) -> list[str]:
        """The groups of the first claim; from Graph where they are too many for a token."""
        if path != GROUPS or not reading.overage(claims, path):
            return self._hub_groups(
                reading.groups(reading.claim(claims, path), "", self.warn), path
            )
        try:
            ids = await self.provider.groups(self.groups_url, access_token, self.facts.group_name)
        except Misconfigured:
            self.log.error("greyhub: Microsoft Graph does not tell a user's groups to this hub")
            raise Misconfigured(
                "You are in more groups than a token holds, and Microsoft Graph does not tell them "
                "to this hub.\n  fix: the directory's administrator grants User.Read to the "
                "application, under API permissions, or lets tokens hold the groups that are "
                "assigned to it alone, under Token configuration"
            ) from None
        return self._hub_groups(ids, path)

    def _hub_groups(self, found: list[str], path: str) -> list[str]:
        """Groups by their names in the hub."""
        if path != GROUPS:
            return found
        # Names of groups are not unique, and whoever may make a group chooses one.
        ids = [each.lower() for each in found if ID.fullmatch(each.lower())]
        if len(ids) < len(found):
            self.warn(
                "some groups are told by name, and are left out\n  fix: let tokens hold the ids of "
                "groups, under Token configuration"
            )
        names = {key.lower(): name for key, name in self.group_names.items()}
        return [names[each] for each in ids if each in names] if names else ids
