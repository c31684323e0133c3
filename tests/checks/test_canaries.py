"""A secret of the platform is in no log, argument list, ticket or user's environment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from greyhub.slots import SLOTS
from greyhub.ticket import variable
from tests.conftest import make_directory
from tests.support.hubs import Hub
from tests.support.processes import command, environment
from tests.support.waiting import MINUTE

IN_VARIABLE = "canary-in-a-variable-5d1c"
IN_FILE = "canary-in-a-file-77aa"
WRITTEN = "canary-written-in-the-file-90bc"
KEY = "ca4a51e5" * 8
CANARIES = (IN_VARIABLE, IN_FILE, WRITTEN, KEY)

CONFIG = f"""
import greyhub

c.GreyHub.auth = "generic-oauth"
c.GenericOAuthenticator.client_id = "hub"
c.GenericOAuthenticator.client_secret = greyhub.secret(env="OIDC_CANARY")
c.GenericOAuthenticator.authorize_url = "https://id.example.org/auth"
c.GenericOAuthenticator.token_url = "https://id.example.org/token"
c.GenericOAuthenticator.userdata_url = "https://id.example.org/me"
c.GenericOAuthenticator.allowed_users = {{"ada"}}
c.Authenticator.enable_auth_state = True
c.Authenticator.auth_refresh_age = 0  # nobody has logged in
c.CryptKeeper.keys = ["{KEY}"]
c.ConfigurableHTTPProxy.auth_token = greyhub.secret(file="proxy-token")
c.JupyterHub.services.append({{"name": "other", "api_token": "{WRITTEN}"}})
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub at debug level with a secret of each kind, and a user's server."""
    directory = make_directory()
    token = directory / "proxy-token"
    token.write_text(IN_FILE + "\n")
    token.chmod(0o600)
    os.environ["OIDC_CANARY"] = IN_VARIABLE
    hub = Hub(directory, CONFIG, arguments=("--debug",))
    hub.file.chmod(0o600)
    try:
        hub.start()
        hub.spawn("ada")
        page = requests.get(f"{hub.url}hub/oauth_login", allow_redirects=False, timeout=MINUTE)
        assert page.headers["Location"].startswith("https://id.example.org/auth")
        yield hub
    finally:
        del os.environ["OIDC_CANARY"]
        hub.end()
        shutil.rmtree(directory, ignore_errors=True)


def holding(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def test_the_secrets_are_in_use(hub: Hub) -> None:
    for token in (hub.token, WRITTEN):
        answer = requests.get(
            f"{hub.url}hub/api/", headers={"Authorization": f"token {token}"}, timeout=MINUTE
        )
        assert answer.ok
    routes = requests.get(
        f"http://127.0.0.1:{hub.proxy_port}/api/routes",
        headers={"Authorization": f"token {IN_FILE}"},
        timeout=MINUTE,
    )
    assert routes.ok


def test_the_logs_hold_none(hub: Hub) -> None:
    logs = [hub.log, *hub.state.rglob("*.log")]
    assert len(logs) >= 2
    assert {log.name: holding(log.read_text()) for log in logs} == {log.name: [] for log in logs}
    assert "[D " in hub.log.read_text()


def test_no_argument_list_holds_one(hub: Hub) -> None:
    for process in psutil.process_iter():
        assert not holding(" ".join(command(process)))


def test_the_users_server_knows_none(hub: Hub) -> None:
    given = hub.environment("ada")
    tickets = [hub.ticket("ada", slot) for slot in SLOTS if variable(slot) in given]
    assert tickets
    assert not holding(repr(given))
    assert not holding(repr(tickets))
    for child in psutil.Process(hub.pid("ada")).children(recursive=True):
        assert not holding(environment(child))


def test_what_the_user_can_open_holds_none(hub: Hub) -> None:
    """As the uid of the user: nothing below the hub's directory that can be read has one."""
    uid = psutil.Process(hub.pid("ada")).uids().real
    readable = 0
    for path in hub.directory.rglob("*"):
        if path.is_file() and _readable(path, uid):
            readable += 1
            assert not holding(path.read_bytes().decode(errors="replace")), path
    assert readable or uid == os.getuid()


def _readable(path: Path, uid: int) -> bool:
    """Whether the kernel's modes let this uid open it."""
    found = path.stat()
    return bool(found.st_mode & 0o004) or (found.st_uid == uid and bool(found.st_mode & 0o400))
