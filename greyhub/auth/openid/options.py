"""The options of the OpenID Connect Authenticator."""

from __future__ import annotations

from typing import Any, Final

from oauthenticator.oauth2 import OAuthenticator
from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from traitlets import Bool, Dict, Enum, Integer, List, Unicode, Union, default, validate

from greyhub.auth.openid.claims import DISPLAY_NAMES, NAME
from greyhub.auth.openid.presets import PRESETS, Preset

BIGGEST: Final = 4 * 2**20
"""Bytes of the longest answer of a provider."""


def option(word: str, name: str, section: str = "OIDCAuthenticator") -> str:
    """An option as it is written: of one provider of several, or of the only one."""
    if word:
        return f'c.OpenIDConnect.providers["{word}"]["{name}"]'
    return f"c.{section}.{name}"


class OIDCOptions(OAuthenticator):  # type: ignore[misc]
    """What `greyhub.auth.openid.authenticator.OIDCAuthenticator` is configured with."""

    # Options that discovery and the standard leave no room for are none of this class.
    authorize_url = token_url = userdata_url = ""
    userdata_from_id_token = userdata_params = userdata_token_method = None
    token_params = enable_pkce = basic_auth = validate_server_cert = None
    auth_state_groups_key = modify_auth_state_hook = refresh_user_hook = allowed_scopes = None

    preset = Enum(
        list(PRESETS),
        "",
        help="A provider whose particulars are known: they are the defaults of other options. "
        "``github`` speaks OAuth 2 alone: its ``issuer`` is set for GitHub Enterprise only.",
    ).tag(config=True, example="keycloak")

    issuer = Unicode(
        help="The provider, by the address that it calls itself; all others come from its "
        "``/.well-known/openid-configuration``."
    ).tag(config=True, example="https://login.example.org/realms/science")

    username_claim = Unicode(
        help="The claim, or its path, that user names are made from; by default "
        "``preferred_username``, for some presets another. ``email`` counts where the provider "
        "has verified it; display names are refused, since people choose and share them."
    ).tag(config=True, example="email")

    groups_claim = Union(
        [Unicode(), List(Unicode())],
        help="The claim that tells a user's groups, by its name or its path, or several, as a "
        "list: groups and roles. Hub groups follow them unless ``manage_groups`` is off.",
    ).tag(config=True, example=["groups", "realm_access.roles"])

    groups_separator = Unicode(
        help="What stands between the groups, where the provider sends one text. Without it a "
        "text counts for no group."
    ).tag(config=True, example=",")

    groups_url = Unicode(
        help="Where groups are asked for, with the user's access token, if the claims do not tell "
        "them: a list in JSON, as Microsoft Graph's. It stands for the first of several claims. "
        "Without it, a user whose groups the provider tells elsewhere is refused."
    ).tag(config=True, example="https://graph.microsoft.com/v1.0/me/transitiveMemberOf")

    required_claims = Dict(
        help="Claims that must be so, each with the values that admit: who has another is refused. "
        "This restricts, and allows nobody by itself."
    ).tag(config=True, example={"hd": ["example.org"]})

    username_prefix = Unicode(
        help="What the hub puts before the names of this provider's users, so that they cannot be "
        "another's. ``allowed_users`` and ``admin_users`` are names with it."
    ).tag(config=True, example="gh-")

    groups_prefix = Unicode(
        help="What the hub puts before the names of this provider's groups to make hub groups of "
        "them. ``allowed_groups`` and ``admin_groups`` are names without it."
    ).tag(config=True, example="github:")

    outage_grace = Integer(
        0,
        min=0,
        help="Seconds for which a login outlasts an outage of the provider, from when it was last "
        'confirmed; with ``auth = "oidc"`` or ``"entra"`` an hour. A refusal ends it at once.',
    ).tag(config=True)

    logout_at_provider = Bool(
        help="Whether a logout also revokes the user's tokens and leads to the provider's own "
        "logout, where it has one."
    ).tag(config=True)

    section = "OIDCAuthenticator"
    """The section of the configuration that messages name."""

    word = Unicode(help="Its word in the configuration, where it is one of several.")

    def option(self, name: str) -> str:
        """One of its options as it is written in the configuration."""
        return option(self.word, name, self.section)

    @property
    def groups_claims(self) -> list[str]:
        """The claims that tell groups."""
        one = self.groups_claim
        return [one] if isinstance(one, str) else list(one)

    # defaults

    @property
    def facts(self) -> Preset:
        """What is known of the preset."""
        return PRESETS[self.preset]

    @default("issuer")
    def _default_issuer(self) -> str:
        return self.facts.issuer

    @default("scope")
    def _default_scope(self) -> list[str]:
        return list(self.facts.scope)

    @default("username_claim")
    def _default_username_claim(self) -> str:
        return self.facts.username_claim

    @default("groups_claim")
    def _default_groups_claim(self) -> str | list[str]:
        return self.facts.groups_claim

    @default("groups_url")
    def _default_groups_url(self) -> str:
        return self.facts.at(self.issuer).groups_url

    @default("extra_authorize_params")
    def _default_authorize_params(self) -> dict[str, str]:
        return dict(self.facts.authorize_params)

    @default("login_service")
    def _default_login_service(self) -> str:
        return self.facts.login_service

    @default("manage_groups")
    def _default_manage_groups(self) -> bool:
        return True

    @default("enable_auth_state")
    def _default_enable_auth_state(self) -> bool:
        return True

    @default("http_client")
    def _default_http_client(self) -> AsyncHTTPClient:
        # JupyterHub takes curl's where there is one: it knows of proxies, and of no bounds.
        simple = issubclass(AsyncHTTPClient.configured_class(), SimpleAsyncHTTPClient)
        bounds = {"max_body_size": BIGGEST, "max_clients": 100} if simple else {}
        return AsyncHTTPClient(force_instance=True, **bounds)

    @validate("username_prefix")
    def _beginning_of_a_name(self, proposal: Any) -> str:
        prefix = str(proposal["value"])
        if prefix and (prefix != prefix.lower() or not NAME.fullmatch(prefix)):
            raise ValueError(
                f"no user name begins with {prefix!r}: use lower-case letters, digits and signs "
                'of _ . @ + -, with a letter or digit first, such as "gh-"'
            )
        return prefix

    @validate("username_claim")
    def _no_display_name(self, proposal: Any) -> str:
        name = str(proposal["value"])
        if name.rpartition(".")[2] in DISPLAY_NAMES:
            raise ValueError(
                f"{name} is a name for people to read: they choose it, and two may have one. "
                'Use a claim that is one person\'s, such as "preferred_username"'
            )
        return name
