"""What is particular to well-known providers, each fact with its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

GROUP: Final = "#microsoft.graph.group"
"""What Graph calls a group, among directory roles and administrative units."""


def _id(group: Mapping[str, Any]) -> Any:
    return group.get("id") if group.get("@odata.type", GROUP) == GROUP else None


@dataclass(frozen=True)
class Preset:
    """Defaults for the options of `greyhub.auth.openid.authenticator.OIDCAuthenticator`."""

    issuer: str = ""
    scope: Sequence[str] = ("openid", "profile", "email")
    username_claim: str = "preferred_username"
    groups_claim: str = "groups"
    groups_url: str = ""
    group_name: Callable[[Mapping[str, Any]], Any] = _id
    """The name of one of the groups that ``groups_url`` answers."""

    authorize_params: Mapping[str, str] = field(default_factory=dict)
    login_service: str = "OpenID Connect"
    subject_claim: str = "sub"
    word: str = ""
    """What stands for the issuer where the provider speaks OAuth 2 alone."""

    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Its addresses, where it speaks OAuth 2 alone and there is no discovery."""

    lists_claims: bool = True
    """Whether discovery names all claims; else some come that it does not name."""

    hosts: Mapping[str, str] = field(default_factory=dict)
    """What these addresses begin with, and what with at another address of the same software."""

    def at(self, issuer: str) -> Preset:
        """The same software at another address, where there is no discovery."""
        if not issuer:
            return self

        def moved(url: str) -> str:
            for host, elsewhere in self.hosts.items():
                if url.startswith(f"{host}/"):
                    return elsewhere.format(issuer=issuer.rstrip("/")) + url.removeprefix(host)
            return url

        endpoints = {name: moved(url) for name, url in self.endpoints.items()}
        return replace(self, endpoints=endpoints, groups_url=moved(self.groups_url))


def _team(team: Mapping[str, Any]) -> str | None:
    organization, slug = team.get("organization"), team.get("slug")
    login = organization.get("login") if isinstance(organization, Mapping) else None
    return f"{login}:{slug}" if isinstance(login, str) and isinstance(slug, str) else None


PRESETS: Final[Mapping[str, Preset]] = {
    "": Preset(),
    # Groups come by a mapper of the type "Group Membership", into the claim that it names:
    # https://www.keycloak.org/docs/latest/server_admin/#_protocol-mappers
    # Discovery names a fixed list of claims, which those of mappers are not in: seen in 26.7.
    "keycloak": Preset(login_service="Keycloak", lists_claims=False),
    # A refresh token comes with access_type=offline, and each time only with prompt=consent:
    # https://developers.google.com/identity/protocols/oauth2/web-server#offline
    # The claim hd tells the domain, and there is no preferred_username:
    # https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload
    "google": Preset(
        issuer="https://accounts.google.com",
        username_claim="email",
        authorize_params={"access_type": "offline", "prompt": "consent"},
        login_service="Google",
    ),
    # Userinfo tells of all groups, an ID token of the direct ones alone:
    # https://docs.gitlab.com/integration/openid_connect_provider/#shared-information
    "gitlab": Preset(issuer="https://gitlab.com", login_service="GitLab"),
    # The issuer holds the tenant, https://login.microsoftonline.com/TENANT-ID/v2.0:
    # https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
    # With more than 200 groups a token names none of them:
    # https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    # Graph tells them to who has User.Read:
    # https://learn.microsoft.com/graph/api/user-list-transitivememberof
    "entra": Preset(
        scope=("openid", "profile", "email", "offline_access", "User.Read"),
        groups_url="https://graph.microsoft.com/v1.0/me/transitiveMemberOf?$select=id&$top=999",
        login_service="Microsoft Entra ID",
    ),
    # OAuth 2 alone; a login may be given to somebody else, the number never is:
    # https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
    # https://docs.github.com/en/rest/users/users#get-the-authenticated-user
    # https://docs.github.com/en/rest/teams/teams#list-teams-for-the-authenticated-user
    "github": Preset(
        scope=("read:user", "read:org"),
        username_claim="login",
        groups_url="https://api.github.com/user/teams?per_page=100",
        group_name=_team,
        login_service="GitHub",
        subject_claim="id",
        word="github",
        endpoints={
            "authorization_endpoint": "https://github.com/login/oauth/authorize",
            "token_endpoint": "https://github.com/login/oauth/access_token",
            "userinfo_endpoint": "https://api.github.com/user",
        },
        # https://docs.github.com/en/enterprise-server@latest/rest/enterprise-admin
        hosts={"https://api.github.com": "{issuer}/api/v3", "https://github.com": "{issuer}"},
    ),
}
"""Every preset by its name; the empty name is any provider's."""
