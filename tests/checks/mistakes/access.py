"""Nobody gets in, or too many do."""

from __future__ import annotations

from tests.checks.mistakes.mistake import ADA, PAM, Mistake

ACCESS = (
    Mistake(
        "nobody may log in, as after the upgrade to JupyterHub 5",
        PAM,
        "c.PAMAuthenticator.allowed_users",
        "nobody may log in",
        "c.GreyHub.accepted_risks = ['nobody']",
        where="",
    ),
    Mistake(
        "admins alone, who are not allowed in",
        PAM + 'c.Authenticator.admin_users = {"root"}  # here',
        "c.Authenticator.admin_users",
        "an admin must be allowed in, too",
        "allow_all = True",
    ),
    Mistake(
        "everybody with an account at a public provider",
        'c.GreyHub.auth = "github"\nc.GitHubOAuthenticator.client_id = "x"\n'
        'c.GitHubOAuthenticator.client_secret = ""\n'
        "c.GitHubOAuthenticator.allow_all = True  # here",
        "c.GitHubOAuthenticator.allow_all",
        "everybody who reaches this hub may log in",
        "allowed_users",
    ),
    Mistake(
        "the dummy authenticator for all the world",
        'c.GreyHub.auth = "dummy"  # here',
        "c.GreyHub.auth",
        "everybody who reaches this hub may log in",
        "choose another c.GreyHub.auth",
    ),
    Mistake(
        "one password for all the world",
        'c.GreyHub.auth = "shared-password"\n'
        'import os\nc.SharedPasswordAuthenticator.user_password = "-".join(["long"] * 5)\n'
        "c.SharedPasswordAuthenticator.allow_all = True\n"
        'c.JupyterHub.ip = "0.0.0.0"  # here',
        "c.JupyterHub.ip",
        "one password opens this hub to whoever knows it",
        "['shared-password']",
    ),
    Mistake(
        "one password, on an address that others reach",
        'c.JupyterHub.ip = "0.0.0.0"',
        'c.GreyHub.auth = "local"',
        "one shared password must not leave this machine",
        "listen on 127.0.0.1",
        where="",
    ),
    Mistake(
        "passwords in clear text",
        'c.GreyHub.auth = "pam"\n' + ADA + 'c.JupyterHub.bind_url = "http://:8000"  # here',
        "c.JupyterHub.bind_url",
        "passwords would cross the network in clear text",
        "c.JupyterHub.public_url",
    ),
)
