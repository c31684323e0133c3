"""A hub whose users log in at the testkit's provider, for tests of logins."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

import greyhub
from greyhub.auth import AuthAdapter
from greyhub.auth.oidc import OpenIDConnect
from greyhub.auth.openid.authenticator import OIDCAuthenticator
from greyhub.conformance.auth.noop_spawner import NoopSpawner
from greyhub.conformance.testkit.browser import Browser
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.hub_app import empty_database
from greyhub.conformance.testkit.provider import Person, Provider
from greyhub.conformance.testkit.provider.endpoints import WHO

CALLBACK = "/hub/oauth_callback"

TEMPLATES = Path(greyhub.__file__).parent / "templates"
"""What a composed hub has among its templates."""


class User:
    """A person with a browser; `login` goes all the way, the other methods are its steps."""

    def __init__(self, hub: Hub, person: Person) -> None:
        self.browser = Browser(hub.url)
        self.person, self.hub = person, hub

    def begin(self, **how: Any) -> str:
        """Where the hub sends the browser to."""
        answer = self.browser.get("/hub/oauth_login", **how)
        assert answer.is_redirect, answer.text
        return answer.headers["Location"]

    def consent(self, url: str) -> str:
        """Where the provider sends the browser back to."""
        answer = self.browser.get(url, headers={WHO: self.person.subject})
        assert answer.is_redirect, answer.text
        return answer.headers["Location"]

    def login(self) -> requests.Response:
        """The hub's last answer."""
        return self.browser.get(self.consent(self.begin()))

    @property
    def who(self) -> dict[str, Any] | None:
        """Whom the hub takes the browser's owner for."""
        return self.browser.who()

    @property
    def name(self) -> str | None:
        return (self.who or {}).get("name")

    def refresh(self) -> dict[str, Any] | None:
        """Whom the hub takes its owner for once it has asked the provider again."""
        name = self.person.name
        self.hub.run(lambda: setattr(self.hub.app.users[name], "_auth_refreshed", None))
        return self.browser.who()

    def state(self) -> dict[str, Any]:
        """What the hub keeps of the user's login."""
        name = self.person.name
        return dict(self.hub.run(lambda: self.hub.app.users[name].get_auth_state()) or {})


class World:
    """A provider, and hubs whose users log in there."""

    authenticator: type = OIDCAuthenticator
    adapter: type[AuthAdapter] = OpenIDConnect

    def __init__(self, directory: Path, provider: Provider) -> None:
        self.directory, self.provider = directory, provider
        self.hubs: list[Hub] = []

    def own(self) -> dict[str, Any]:
        """What the authenticator is told of the provider."""
        names = self.provider.names
        return {name: names[name] for name in ("issuer", "client_id", "client_secret")}

    def hub(self, **options: Any) -> Hub:
        """A hub that runs, and admits everybody unless the options say otherwise."""
        hub = Hub(self.directory / f"hub-{len(self.hubs)}", {})
        hub.config = {
            "JupyterHub": {
                "authenticator_class": self.authenticator,
                "spawner_class": NoopSpawner,
            },
            self.authenticator.__name__: {
                **self.own(),
                "allow_all": True,
                "oauth_callback_url": f"{hub.url}{CALLBACK}",
                **options,
            },
        }
        self.hubs.append(hub)
        return hub.start()

    def user(self, hub: Hub, name: str = "ada", **facts: Any) -> User:
        """Somebody with an account at the provider, and with a browser that has seen nothing."""
        return User(hub, self.provider.enrol(Person(name, **facts)))

    def logged_in(self, hub: Hub, name: str = "ada", **facts: Any) -> User:
        """The same, logged in."""
        user = self.user(hub, name, **facts)
        answer = user.login()
        assert user.name is not None, answer.text
        return user


def refused(answer: requests.Response) -> bool:
    """Whether the hub refused, with a page that says so."""
    return answer.status_code in (400, 403)


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def changed(url: str, **changes: str | None) -> str:
    """An address with other parameters; None leaves one out."""
    query = {**query_of(url), **changes}
    kept = {name: value for name, value in query.items() if value is not None}
    return urlsplit(url)._replace(query=urlencode(kept)).geturl()


@contextmanager
def a_world(
    directory: Path, kind: type[World] = World, speaking: type[Provider] = Provider
) -> Iterator[World]:
    """A provider for one test."""
    empty_database()
    provider = speaking()
    world = kind(directory, provider)
    try:
        yield world
    finally:
        for hub in world.hubs:
            hub.__exit__()
        provider.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A provider, and hubs whose users log in there."""
    monkeypatch.setenv("JUPYTERHUB_CRYPT_KEY", secrets.token_hex(32))
    with a_world(tmp_path) as made:
        yield made
