"""Authenticators that others have written."""

import os
import zlib

from greyhub.conformance import AuthSuite, Restriction
from greyhub.conformance.testkit.provider import Reply

PASSWORD = "correct horse battery"
NO_PROVIDER = ("oauth2", "id_token", "email_names", "groups", "overage", "restricts",
               "remote", "refresh", "slo", "sessions")  # fmt: skip
NO_FORM = {"password": "there is no form", "sessions": "nothing is opened"}
ASKED = {"id_token": "userinfo is asked", "overage": "userinfo has room for all groups"}
LOGINS = {"email_names": "names are those of an account"}
URLS = {
    "client_id": "{client_id}",
    "client_secret": "{client_secret}",
    "oauth_callback_url": "{callback}",
    "authorize_url": "{authorize}",
    "token_url": "{token}",
    "userdata_url": "{userinfo}",
    "http_request_kwargs": {"ca_certs": "{ca}"},
}


class _Form(AuthSuite):
    """What suites of authenticators with a login form have in common."""

    mode = "real"
    name_claim = "username"
    claims = {"password"}
    declines = dict.fromkeys(NO_PROVIDER, "there is no backend outside the hub")

    def account(self, person, hub):
        self.make_account(person, hub.app.authenticator, hub.run)
        return {"username": person.name, "password": PASSWORD}

    def make_account(self, person, authenticator, run):
        """What an administrator or the person themselves does, once."""


class Dummy(_Form):
    """JupyterHub's DummyAuthenticator."""

    adapter = "jupyterhub.auth:DummyAuthenticator"
    config = {"DummyAuthenticator": {"password": PASSWORD}}


class OldDummy(Dummy):
    """jupyterhub-dummyauthenticator."""

    adapter = "dummyauthenticator:DummyAuthenticator"


class FirstUse(_Form):
    """FirstUseAuthenticator."""

    adapter = "firstuseauthenticator:FirstUseAuthenticator"
    config = {"FirstUseAuthenticator": {"dbm_path": "{directory}/passwords.dbm"}}

    def make_account(self, person, authenticator, run):
        run(lambda: authenticator.reset_password(person.name, PASSWORD))


class Native(_Form):
    """NativeAuthenticator.

    Version 1.3 was written for JupyterHub 5: on 6 every login ends with status 500, since its
    login handler asks for `statsd`, which JupyterHub has no more.
    """

    adapter = "nativeauthenticator:NativeAuthenticator"

    def config(self):
        import nativeauthenticator

        templates = os.path.join(os.path.dirname(nativeauthenticator.__file__), "templates")
        return {
            "JupyterHub": {"template_paths": [templates]},
            "NativeAuthenticator": {"open_signup": True},
        }

    def make_account(self, person, authenticator, run):
        run(lambda: authenticator.create_user(person.name, PASSWORD) and None)


class Generic(AuthSuite):
    """GenericOAuthenticator, by userinfo."""

    adapter = "oauthenticator.generic:GenericOAuthenticator"
    tls = True
    config = {
        "GenericOAuthenticator": {
            **URLS,
            "username_claim": "preferred_username",
            "scope": ["openid", "profile"],
        }
    }
    claims = {"oauth2", "groups", "remote", "refresh", "slo"}
    declines = {
        **NO_FORM,
        **ASKED,
        **LOGINS,
        "restricts": "what a group may do is for the clauses on groups",
    }


class GenericByToken(Generic):
    """GenericOAuthenticator, by ID tokens."""

    config = {
        "GenericOAuthenticator": {
            **{name: value for name, value in URLS.items() if name != "userdata_url"},
            "username_claim": "preferred_username",
            "scope": ["openid", "profile"],
            "userdata_from_id_token": True,
        }
    }
    claims = {*Generic.claims, "id_token"}
    declines = {
        **NO_FORM,
        **LOGINS,
        "overage": "it does not look for groups elsewhere",
        "restricts": Generic.declines["restricts"],
    }


class AzureAD(AuthSuite):
    """AzureAdOAuthenticator."""

    adapter = "oauthenticator.azuread:AzureAdOAuthenticator"
    tls = True
    config = {
        "AzureAdOAuthenticator": {
            **{name: value for name, value in URLS.items() if name != "userdata_url"},
            "tenant_id": "tenant",
            "username_claim": "preferred_username",
            "scope": ["openid", "profile"],
        }
    }
    claims = {"oauth2", "id_token", "groups", "remote", "refresh", "slo"}
    declines = {
        **NO_FORM,
        **LOGINS,
        "overage": "it does not look for groups elsewhere",
        "restricts": "the tenant stands in the provider's address",
    }


def number(person):
    """An account's number, as GitHub and GitLab have one."""
    return zlib.crc32(person.subject.encode())


class GitHub(AuthSuite):
    """GitHubOAuthenticator."""

    adapter = "oauthenticator.github:GitHubOAuthenticator"
    tls = True
    name_claim = "login"
    config = {
        "GitHubOAuthenticator": {**URLS, "github_url": "{issuer}", "scope": ["read:org"]},
    }
    claims = {"oauth2", "remote", "refresh", "restricts", "slo"}
    declines = {
        **NO_FORM,
        **ASKED,
        **LOGINS,
        "groups": "GitHub has teams: which are groups, a function of the administrator's says",
    }

    def statement(self, person):
        return {"id": number(person), "login": person.name, "email": person.email, "orgs": []}

    def api(self, path, person):
        *_, orgs, org, members, login = path.split("/")
        if (orgs, members, login) != ("orgs", "members", person.name):
            return None
        return Reply(204) if org in person.claims.get("orgs", ()) else None

    def restrictions(self):
        options = {"allow_all": False, "allowed_organizations": {"inside"}}
        outside = [{"claims": {"orgs": [each]}} for each in ("outside", "insider", "in")]
        old = {"allow_all": False, "github_organization_whitelist": {"inside"}}
        inside = {"claims": {"orgs": ["inside"]}}
        return [
            Restriction(options, "inside", inside, outside),
            Restriction(old, "", inside, deprecated=True),
        ]


class GitLab(AuthSuite):
    """GitLabOAuthenticator."""

    adapter = "oauthenticator.gitlab:GitLabOAuthenticator"
    tls = True
    name_claim = "username"
    config = {"GitLabOAuthenticator": {**URLS, "gitlab_url": "{issuer}", "scope": ["read_user"]}}
    claims = {"oauth2", "remote", "refresh", "restricts", "slo"}
    declines = {
        **NO_FORM,
        **ASKED,
        **LOGINS,
        "groups": "GitLab tells of a user's groups at another address, which is not asked",
    }

    def statement(self, person):
        return {"id": number(person), "username": person.name, "email": person.email}

    def api(self, path, person):
        if path == "/api/v4/version":
            return {"version": "18.5.1-ee"}
        inside = [f"/api/v4/groups/{each}/members/all/{number(person)}"
                  for each in person.claims.get("groups", ())]  # fmt: skip
        return {"id": number(person), "access_level": 30} if path in inside else None

    def restrictions(self):
        options = {"allow_all": False, "allowed_gitlab_groups": {"inside"}}
        outside = [{"claims": {"groups": [each]}} for each in ("outside", "insider", "in")]
        old = {"allow_all": False, "gitlab_group_whitelist": {"inside"}}
        inside = {"claims": {"groups": ["inside"]}}
        return [
            Restriction(options, "inside", inside, outside),
            Restriction(old, "", inside, deprecated=True),
        ]


class Google(AuthSuite):
    """GoogleOAuthenticator."""

    adapter = "oauthenticator.google:GoogleOAuthenticator"
    tls = True
    name_claim = "email"
    config = {"GoogleOAuthenticator": URLS}
    claims = {"email_names", "oauth2", "remote", "refresh", "restricts", "slo"}
    declines = {
        **NO_FORM,
        **ASKED,
        "groups": "they are asked for at www.googleapis.com, which cannot be set",
    }

    def statement(self, person):
        said = {"id": person.subject, "email": person.email, "name": person.name.title()}
        if person.email_verified is not None:
            said["verified_email"] = person.email_verified
        return said

    def restrictions(self):
        inside = {"claims": {"hd": "inside.example"}}
        outside = [{"claims": {"hd": each}} for each in ("outside.example", "an-inside.example")]
        return [Restriction({"hosted_domain": ["inside.example"]}, "inside.example", inside,
                            outside)]  # fmt: skip
