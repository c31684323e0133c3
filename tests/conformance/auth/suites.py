"""Author's files: the authenticators that must pass, and one that must not."""

from __future__ import annotations

from greyhub.conformance.auth import AuthSuite

PASSWORD = "correct horse battery"
ADMIN_PASSWORD = "a much longer passphrase for those who rule"

ALONE = "one password for everyone: there is no backend"


class LocalPassword(AuthSuite):
    """What ``c.GreyHub.auth = "local"`` uses."""

    adapter = "greyhub.auth.password:LocalPassword"
    name_claim = "username"
    config = {
        "LocalPassword": {"user_password": PASSWORD, "admin_password": ADMIN_PASSWORD}
    }
    claims = {"password"}
    declines = dict.fromkeys(
        ("oauth2 id_token email_names groups overage restricts remote refresh slo sessions").split(),
        ALONE,
    )

    def account(self, person, hub):
        return {
            "username": person.name,
            "password": ADMIN_PASSWORD if person.admin else PASSWORD,
        }


class Generic(AuthSuite):
    adapter = "oauthenticator.generic:GenericOAuthenticator"
    config = {
        "GenericOAuthenticator": {
            "client_id": "{client_id}",
            "client_secret": "{client_secret}",
            "oauth_callback_url": "{callback}",
            "authorize_url": "{authorize}",
            "token_url": "{token}",
            "userdata_url": "{userinfo}",
            "username_claim": "preferred_username",
            "scope": ["openid", "profile"],
        }
    }
    claims = {"oauth2", "groups", "remote", "refresh", "slo"}
    declines = {
        "password": "no form",
        "id_token": "identity comes from userinfo",
        "email_names": "names are preferred_username",
        "overage": "no",
        "restricts": "no such option",
        "sessions": "opens none",
    }
