"""A hub that gives servers credentials, and servers that ask for them, for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from traitlets.config import Config, LoggingConfigurable

from greyhub import credentials
from greyhub.conformance.testkit.hub import Hub
from greyhub.credentials import HubCredential
from tests.auth.oidc import CALLBACK, User, World


class Platform(LoggingConfigurable):
    """What an adapter sees as its parent, where only the options are of interest."""

    def __init__(self, hub: Hub, config: Config) -> None:
        super().__init__(config=config, log=hub.log)
        self.private = hub.directory


def giving_hub(world: World, given: dict[str, Any], **options: Any) -> Hub:
    """A hub that gives these credentials, composed of what the adapter contributes."""
    hub = world.hub(**options)
    hub.stop()
    config = Config({name: dict(values) for name, values in hub.config.items()})
    config.JupyterHub.public_url = hub.url
    adapter = world.adapter(parent=Platform(hub, config), config=config, audiences=given)
    made = adapter.contribute()
    hub.config["JupyterHub"] |= {
        **made.config["JupyterHub"],
        "load_roles": [*_CONFORMANCE, *made.roles],
    }
    return hub.start()


_CONFORMANCE = [
    {
        "name": "conformance",
        "scopes": ["admin:users", "admin:servers", "admin:groups", "tokens"],
        "services": ["conformance"],
    }
]
"""The role of the testkit's hub, which a list of others replaces."""


class Server:
    """A server of a user's, as the hub knows it: by its token."""

    def __init__(self, hub: Hub, user: str) -> None:
        self.hub, self.user = hub, user
        self.token: str = hub.run(self._start)

    async def _start(self) -> str:
        user = self.hub.app.users[self.user]
        await user.spawn()
        token: str = user.spawners[""].api_token
        return token

    def ask(self, audience: str, token: str = "") -> requests.Response:
        """The hub's answer."""
        return self.hub.api("GET", f"/{credentials.PATH}/{audience}", token=token or self.token)

    def value(self, audience: str) -> str:
        """The token that the hub gives."""
        answer = self.ask(audience)
        assert answer.ok, answer.text
        return str(answer.json()["values"]["token"])

    def refused(self, audience: str, status: int = 403, token: str = "") -> str:
        """Why the hub gives none."""
        answer = self.ask(audience, token)
        assert answer.status_code == status, answer.text
        return str(answer.json()["message"])

    def inside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this process be the server's."""
        monkeypatch.setenv("JUPYTERHUB_API_URL", f"{self.hub.url}/hub/api")
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", self.token)

    def credential(self, audience: str) -> HubCredential:
        """What a notebook in it has; see `inside`."""
        return HubCredential(self.user, audience)


def served(world: World, given: dict[str, Any], *, name: str = "ada", **facts: Any) -> Server:
    """The server of a user who has logged in at a hub that gives these credentials."""
    hub = giving_hub(world, given)
    world.logged_in(hub, name, **facts)
    return Server(hub, name)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let credentials be older."""
    true = credentials.time.time
    monkeypatch.setattr(credentials, "now", lambda: true() + seconds)


@contextmanager
def store(world: World, audience: str) -> Iterator[str]:
    """A store that gives a file to whoever has a token for the audience: its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            person = world.provider.holder(token, audience)
            body = f"of {person.name}".encode() if person else b""
            self.send_response(200 if person else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/file"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    """A process that has asked for nothing yet."""
    credentials._held.clear()
    yield
    credentials._held.clear()


__all__ = ["CALLBACK", "Server", "User", "giving_hub", "later", "nothing_held", "served", "store"]
