"""A real Keycloak, in development mode, whose folder is ``GREYHUB_TESTS_KEYCLOAK``."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
from html import unescape
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import requests

from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until

FOLDER = os.environ.get("GREYHUB_TESTS_KEYCLOAK", "")
REALM = "science"
SECRET = "a secret of the hub and its provider"
PASSWORD = "correct horse battery"


class Keycloak:
    """One server with a realm, which is asked to change by its own REST API."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.port = directory, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = f"{self.url}/realms/{REALM}"
        self._password = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Keycloak:
        """Start it, and make the realm; the database is in memory."""
        with (self.directory / "keycloak.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    f"{FOLDER}/bin/kc.sh",
                    "start-dev",
                    "--http-host=127.0.0.1",
                    f"--http-port={self.port}",
                    "--db=dev-mem",
                ],
                env={
                    **os.environ,
                    "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
                    "KC_BOOTSTRAP_ADMIN_PASSWORD": self._password,
                },
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(self._answers, 180, "Keycloak")
        self._make_realm()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process
        os.killpg(self._process.pid, signal.SIGTERM)  # the script, if it is there still, and Java
        self._process.wait(MINUTE)

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.directory / "keycloak.log").read_text()[-2000:]
        try:
            return requests.get(f"{self.url}/realms/master", timeout=5).ok
        except requests.RequestException:
            return False

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the realm's administration."""
        form = {
            "grant_type": "password",
            "client_id": "admin-cli",
            "username": "admin",
            "password": self._password,
        }
        tokens = f"{self.url}/realms/master/protocol/openid-connect/token"
        token = requests.post(tokens, data=form, timeout=MINUTE).json()["access_token"]
        answer = requests.request(
            method,
            f"{self.url}/admin/realms{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=MINUTE,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def _make_realm(self) -> None:
        self.ask(
            "POST",
            "",
            {
                "realm": REALM,
                "enabled": True,
                "sslRequired": "none",
                "revokeRefreshToken": True,
                "refreshTokenMaxReuse": 0,
                "groups": [{"name": "staff"}, {"name": "wheel"}],
            },
        )

    def client(self, hub: str) -> None:
        """Register a hub, as the page on OpenID Connect says."""
        groups = {
            "name": "groups",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-group-membership-mapper",
            "config": {
                "claim.name": "groups",
                "full.path": "false",
                "id.token.claim": "true",
                "access.token.claim": "true",
                "userinfo.token.claim": "true",
            },
        }
        self.ask(
            "POST",
            f"/{REALM}/clients",
            {
                "clientId": "hub",
                "secret": SECRET,
                "redirectUris": [f"{hub}/hub/oauth_callback"],
                "attributes": {
                    "post.logout.redirect.uris": f"{hub}/hub/login",
                    "pkce.code.challenge.method": "S256",
                },
                "protocolMappers": [groups],
                "standardFlowEnabled": True,
                "directAccessGrantsEnabled": False,
            },
        )

    def enrol(self, name: str, *groups: str) -> str:
        """An account; its id, which is the subject."""
        self.ask(
            "POST",
            f"/{REALM}/users",
            {
                "username": name,
                "enabled": True,
                "email": f"{name}@example.org",
                "emailVerified": True,
                "firstName": name.title(),
                "lastName": "Example",
                "groups": list(groups),
                "credentials": [{"type": "password", "value": PASSWORD}],
            },
        )
        [found] = self.ask("GET", f"/{REALM}/users?username={name}&exact=true")
        return str(found["id"])

    def leave(self, user: str, group: str) -> None:
        """Take an account out of a group."""
        [found] = self.ask("GET", f"/{REALM}/groups?search={group}&exact=true")
        self.ask("DELETE", f"/{REALM}/users/{user}/groups/{found['id']}")

    def disable(self, user: str) -> None:
        """Disable an account."""
        self.ask("PUT", f"/{REALM}/users/{user}", {"enabled": False})

    def refreshed(self, token: str) -> str:
        """What it says to a refresh token that the hub's client shows; empty if it is good."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        answer = requests.post(
            f"{self.issuer}/protocol/openid-connect/token",
            data={**form, "client_id": "hub", "client_secret": SECRET},
            timeout=MINUTE,
        )
        return str(answer.json().get("error", ""))

    def new_keys(self) -> None:
        """Make keys that sign from now on; the ones before still count."""
        kind = {"providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider"}
        realm = self.ask("GET", f"/{REALM}")["id"]
        made = {"name": "newer", "parentId": realm, "config": {"priority": ["1000"]}}
        self.ask("POST", f"/{REALM}/components", {**kind, **made})

    def sessions(self, user: str) -> int:
        """How many sessions an account has here."""
        return len(self.ask("GET", f"/{REALM}/users/{user}/sessions"))


def consent(session: requests.Session, url: str, name: str) -> str:
    """Fill in Keycloak's form; where it sends the browser back to."""
    page = session.get(url, timeout=MINUTE)
    for cookie in session.cookies:
        cookie.secure = False  # browsers take this machine for a secure place, requests does not
    found = re.search(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"', page.text)
    assert found, page.text[:2000]
    answer = session.post(
        urljoin(page.url, unescape(found[1])),
        data={"username": name, "password": PASSWORD},
        allow_redirects=False,
        timeout=MINUTE,
    )
    assert answer.is_redirect, re.sub("<.*?>|\\s+", " ", answer.text)
    return answer.headers["Location"]
