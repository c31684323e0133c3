"""Author's files: the authenticators that must pass, and one that must not."""

from __future__ import annotations

import zlib

from jupyterhub.auth import Authenticator

from examples.auth.toyauth import ToyAuthenticator as Careful
from greyhub.conformance import AuthSuite, Restriction
from greyhub.conformance.auth.case import MANY_GROUPS
from greyhub.conformance.testkit.provider import EntraProvider
from greyhub.conformance.testkit.provider.entra_accounts import (
    OWN,
    PARTNER,
    PERSONAL,
    STRANGER,
    object_id,
)
from greyhub.conformance.testkit.provider.person import DOMAIN
from tests.conformance.auth.tokened import OPEN, Tokened

PASSWORD = "correct horse battery"
ADMIN_PASSWORD = "a much longer passphrase for those who rule"

CLIENT = {
    "client_id": "{client_id}",
    "client_secret": "{client_secret}",
    "oauth_callback_url": "{callback}",
    "authorize_url": "{authorize}",
    "token_url": "{token}",
}
"""What every OAuth client is told."""

GROUPS = ("guests", "s", "staff", "wheel")
"""Groups of clauses; those that come near them in their names are none of the hub's."""

FORM = (
    "oauth2",
    "id_token",
    "email_names",
    "groups",
    "overage",
    "restricts",
    "remote",
    "refresh",
    "slo",
    "sessions",
)
"""What one password for everyone has not."""


class Shared(AuthSuite):
    """JupyterHub's own."""

    adapter = "jupyterhub.authenticators.shared:SharedPasswordAuthenticator"
    name_claim = "username"
    config = {
        "SharedPasswordAuthenticator": {
            "user_password": PASSWORD,
            "admin_password": ADMIN_PASSWORD,
        }
    }
    claims = {"password"}
    declines = dict.fromkeys(FORM, "one password for everyone: there is no backend")

    def account(self, person, hub):
        password = ADMIN_PASSWORD if person.admin else PASSWORD
        return {"username": person.name, "password": password}


class Local(Shared):
    """What ``c.GreyHub.auth = "local"`` uses."""

    adapter = "greyhub.auth.password:LocalPassword"
    mode = "real"
    config = {"LocalPassword": {"user_password": PASSWORD, "admin_password": ADMIN_PASSWORD}}


class CarefulSuite(AuthSuite):
    adapter = Careful
    config = {
        "ToyAuthenticator": {
            **CLIENT,
            "userdata_url": "{userinfo}",
            "username_claim": "preferred_username",
            "scope": ["openid", "profile"],
            "registry": "{directory}/subjects.json",
        }
    }
    claims = {"oauth2", "groups", "restricts", "remote", "refresh", "slo"}
    declines = {
        "password": "there is no form",
        "id_token": "who it is comes from userinfo",
        "email_names": "names are preferred_username",
        "overage": "userinfo has room for all groups",
        "sessions": "nothing is opened",
    }

    def restrictions(self):
        inside = {"claims": {"hd": "inside.example"}}
        outside = [
            {"claims": {"hd": domain}} for domain in ("not-inside.example", "inside.example.evil")
        ]
        return [
            Restriction({"domain": "inside.example"}, "inside.example", inside, outside),
            Restriction({"hosted_domain": "inside.example"}, "", inside, deprecated=True),
        ]


class TokenedSuite(AuthSuite):
    adapter = Tokened
    name_claim = "email"
    config = {
        "Tokened": {
            **CLIENT,
            "issuer": "{issuer}",
            "jwks_url": "{jwks}",
            "graph_url": "{issuer}",
            "scope": ["openid", "email"],
        }
    }
    claims = {
        "oauth2",
        "id_token",
        "email_names",
        "groups",
        "overage",
        "restricts",
        "remote",
        "refresh",
        "sessions",
    }
    declines = {"password": "there is no form", "slo": "the provider has no logout"}

    def restrictions(self):
        inside = {"claims": {"tid": "tenant-a"}}
        outside = [{"claims": {"tid": tenant}} for tenant in ("tenant-b", "tenant-ab", "")]
        return [Restriction({"allowed_tenants": {"tenant-a"}}, "tenant-a", inside, outside)]

    def sessions(self):
        return OPEN

    def sweep(self):
        OPEN.clear()


class OpenID(AuthSuite):
    """What ``c.GreyHub.auth = "oidc"`` uses, by the provider's issuer alone."""

    adapter = "greyhub.auth.openid.authenticator:OIDCAuthenticator"
    mode = "real"
    config = {
        "OIDCAuthenticator": {
            "issuer": "{issuer}",
            "client_id": "{client_id}",
            "client_secret": "{client_secret}",
            "oauth_callback_url": "{callback}",
            "groups_url": "{issuer}/v1.0/me/transitiveMemberOf",
        }
    }
    claims = {
        "oauth2",
        "id_token",
        "groups",
        "overage",
        "restricts",
        "remote",
        "refresh",
        "slo",
    }
    declines = {
        "password": "there is no form",
        "email_names": "names are preferred_username: judged apart",
        "sessions": "nothing is opened",
    }

    def restrictions(self):
        inside = {"claims": {"hd": "inside.example"}}
        outside = [
            {"claims": {"hd": domain}}
            for domain in ("not-inside.example", "inside.example.evil", ["inside.example"])
        ]
        options = {"required_claims": {"hd": ["inside.example"]}}
        return [Restriction(options, "inside.example", inside, outside)]


class OpenIDByMail(OpenID):
    """The same, with names that are e-mail addresses."""

    name_claim = "email"
    config = {
        "OIDCAuthenticator": {**OpenID.config["OIDCAuthenticator"], "username_claim": "email"}
    }
    claims = {*OpenID.claims, "email_names"}
    declines = {name: why for name, why in OpenID.declines.items() if name != "email_names"}


class OpenIDGitHub(OpenID):
    """The preset of a provider that speaks OAuth 2 alone."""

    name_claim = "login"
    config = {
        "OIDCAuthenticator": {
            **{
                name: value
                for name, value in OpenID.config["OIDCAuthenticator"].items()
                if name != "groups_url"
            },
            "preset": "github",
        }
    }
    claims = {"oauth2", "remote", "refresh", "restricts", "slo"}
    declines = {
        **OpenID.declines,
        "id_token": "GitHub has none",
        "email_names": "names are those of an account",
        "groups": "they are teams, of which the suite knows none",
        "overage": "all teams are asked for",
    }

    def statement(self, person):
        number = zlib.crc32(person.subject.encode())
        return {"id": number, "login": person.name, "email": person.email}

    def api(self, path, person):
        if path == "/api/v3/user":
            return self.provider.statement(person)
        return [] if path == "/api/v3/user/teams" else None


PRIVATE = {"claims": {"tid": PERSONAL}}
"""What makes an account a personal one."""


class Entra(OpenID):
    """What ``c.GreyHub.auth = "entra"`` uses, at a provider that speaks Entra's dialect."""

    adapter = "greyhub.auth.openid.entra.authenticator:EntraAuthenticator"
    mode = "fake"
    provider_class = EntraProvider
    config = {
        "EntraAuthenticator": {
            "tenant": "{tenant}",
            "cloud": {"authority": "{authority}", "graph": "{graph}"},
            "client_id": "{client_id}",
            "client_secret": "{client_secret}",
            "oauth_callback_url": "{callback}",
            "username_domain": DOMAIN,
            "group_names": {object_id(name): name for name in (*MANY_GROUPS, *GROUPS)},
        }
    }

    def restrictions(self):
        inside = {"claims": {"tid": PARTNER}}
        outside = [{"claims": {"tid": tenant}} for tenant in (OWN, STRANGER, "")]
        another = f"{self.provider.url}/{STRANGER}/v2.0"
        outside.append({"claims": {"tid": PARTNER, "iss": another}})
        several = {"tenant": "", "allowed_tenants": [PARTNER, PERSONAL], "username_domain": ""}
        return [
            Restriction({"tenant": PARTNER}, PARTNER, inside, [*outside, PRIVATE]),
            Restriction(several, PARTNER, inside, outside),
        ]


class LazySuite(AuthSuite):
    """Lets in whoever comes, and claims nothing: there is no badge for that."""

    class Lazy(Authenticator):
        def authenticate(self, handler, data):
            return data["username"]

    adapter = Lazy
    declines = dict.fromkeys(("password", *FORM), "not now")
