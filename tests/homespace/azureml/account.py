"""A storage account that takes logins alone, and a hub that gives tokens for it, for tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from greyhub import credentials
from greyhub.conformance.testkit.certificates import ADDRESS, Authority
from tests.homespace.filesystem import servers
from tests.homespace.filesystem.conftest import ACCOUNT, ACCOUNT_KEY
from tests.homespace.filesystem.places import Container

SCOPE = "https://storage.azure.com/.default"
TENANT = "0f5a1c2e-7a4d-4d5e-9b46-2f1d3c7a9b10"


def token(seconds: float, *, audience: str = "https://storage.azure.com", name: str = "ada") -> str:
    """An access token as Entra writes it, but for the key that signs it."""
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": math.ceil(time.time() + seconds),
        "oid": str(name),
        "scp": "user_impersonation",
        "uti": os.urandom(8).hex(),
    }
    parts = [json.dumps(each).encode() for each in ({"alg": "HS256", "typ": "JWT"}, claims)]
    text = b".".join(base64.urlsafe_b64encode(each).rstrip(b"=") for each in parts)
    sign = base64.urlsafe_b64encode(hmac.digest(b"a key", text, hashlib.sha256)).rstrip(b"=")
    return f"{text.decode()}.{sign.decode()}"


@dataclass
class TokenHub:
    """The hub's API for credentials, without a hub."""

    lifetime: float = 3600.0
    """Seconds that its tokens are good for."""

    refusing: str = ""
    """What it says instead of a token."""

    away: bool = False
    """Whether it answers 503."""

    audience: str = "https://storage.azure.com"
    given: list[str] = field(default_factory=list)
    ends: float = 0.0
    """When the last token that it gave has ended."""

    url: str = ""

    @contextmanager
    def serving(self) -> Iterator[TokenHub]:
        """It answers within the block."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, said = hub.answer(self.headers.get("Authorization", ""))
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/hub/api"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, authorization: str) -> tuple[int, dict[str, Any]]:
        if authorization != "token of-ada":
            return 403, {"message": "whose server is this?"}
        if self.away:
            return 503, {"message": "the identity provider does not answer"}
        if self.refusing:
            return 403, {"message": self.refusing}
        self.given.append(token(self.lifetime, audience=self.audience))
        self.ends = math.ceil(time.time() + self.lifetime)  # whole seconds, as tokens have them
        times = {"expires_in": self.lifetime, "renew_in": self.lifetime / 2}
        return 200, {"values": {"token": self.given[-1]}, **times}

    @property
    def environment(self) -> dict[str, str]:
        """What a server has of it."""
        return {"JUPYTERHUB_API_URL": self.url, "JUPYTERHUB_API_TOKEN": "of-ada"}


@dataclass
class Account:
    """Azurite, which takes tokens over TLS, and an oracle that has the account's key."""

    url: str
    authority: Authority
    client: Any

    @property
    def oracle(self) -> Container:
        """What is in the container ``homes``."""
        return Container(self.client.get_container_client("homes"))

    @property
    def key(self) -> dict[str, str]:
        """The administrator's own options."""
        return {"account_key": ACCOUNT_KEY}

    def options(self, user: str = "ada") -> dict[str, Any]:
        """What a ticket says to a user's server."""
        return {
            "account_url": self.url,
            "ca_bundle": str(self.authority.ca),
            "credential": {"hub": "storage", "user": user},
        }


@contextmanager
def account_in(directory: Path, address: str = ADDRESS) -> Iterator[Account]:
    """A storage account with the container ``homes``, at an address of this machine's."""
    from azure.storage.blob import BlobServiceClient

    authority = Authority(directory, address)
    directory.chmod(0o755)  # servers have other accounts
    tls = (authority.certificate, authority.key)
    with servers.azurite(directory, *tls, address) as endpoint:
        url = f"{endpoint}/{ACCOUNT}"
        key = {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}
        with BlobServiceClient(url, key, connection_verify=str(authority.ca)) as client:
            client.create_container("homes")
            yield Account(url, authority, client)


@contextmanager
def nothing_held() -> Iterator[None]:
    """A process that has asked for no credential yet."""
    credentials._held.clear()
    yield
    credentials._held.clear()


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    from tests.conftest import make_directory

    try:
        with account_in(make_directory()) as found:
            yield found
    except servers.Missing as error:
        pytest.skip(f"Azurite needs {error}")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenHub]:
    with TokenHub().serving() as made, nothing_held():
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
