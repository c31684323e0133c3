"""A hub as it is started, whose users log in at the testkit's provider."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from greyhub.conformance.testkit.browser import Browser
from greyhub.conformance.testkit.provider import Person, Provider
from greyhub.conformance.testkit.provider.endpoints import WHO
from tests.conftest import make_directory
from tests.support.hubs import Hub, running


def login_by(provider: Provider, secret: str = "") -> str:
    """Lines of a configuration by which everybody may log in whom a provider knows."""
    return f"""\
import greyhub
c.GreyHub.auth = "oidc"
c.JupyterHub.ip = "127.0.0.1"
c.OIDCAuthenticator.issuer = "{provider.url}"
c.OIDCAuthenticator.client_id = "{provider.client_id}"
c.OIDCAuthenticator.client_secret = {secret or repr(provider.client_secret)}
c.OIDCAuthenticator.allow_all = True
"""


@contextmanager
def hub_by(provider: Provider, config: str = "") -> Iterator[Hub]:
    """A hub that runs, with logins by a provider; the secret is in no file."""
    lines = login_by(provider, 'greyhub.secret(env="OIDC_SECRET")')
    with (
        mock.patch.dict(os.environ, {"OIDC_SECRET": provider.client_secret}),
        running(make_directory(), lines + config) as hub,
    ):
        yield hub


def log_in(hub: Hub, provider: Provider, person: Person) -> str | None:
    """The hub's name of whoever logs in with an account of a provider's; None if refused."""
    provider.enrol(person)
    browser = Browser(hub.url.rstrip("/"))
    there = browser.get("/hub/oauth_login").headers["Location"]
    browser.get(browser.get(there, headers={WHO: person.subject}).headers["Location"])
    return (browser.who() or {}).get("name")
