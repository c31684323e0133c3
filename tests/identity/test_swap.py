"""A hub whose authenticator is swapped, and swapped back, while a server runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.hubs import Hub
from tests.support.waiting import MINUTE

PASSWORD = "c.GreyHub.auth = 'local'\nc.LocalPassword.user_password = 'correct horse'\n"

OTHER = """\
from jupyterhub.auth import Authenticator


class Numbered(Authenticator):  # as a provider does: a number for good, and a name of today
    allow_all = True

    async def authenticate(self, handler, data):
        number, _, name = data["username"].partition("=")
        return {"name": name, "auth_state": {"number": number}}

    def identity(self, auth_model):
        return "https://id.example.org", auth_model["auth_state"]["number"]


c.GreyHub.auth = Numbered
c.JupyterHub.ip = "127.0.0.1"
"""


def who(hub: Hub, user: str) -> str | None:
    """The hub's name of whoever logs in as this."""
    session = hub.login(user, "correct horse")
    page = session.get(f"{hub.url}hub/home", timeout=MINUTE)
    found = re.search(r'user: "([^"]+)"', page.text)
    return found[1] if found and page.url.endswith("/hub/home") else None


def command(hub: Hub, *arguments: str) -> str:
    """What ``greyhub users`` says."""
    line = [sys.executable, "-m", "greyhub.cli", "users", *arguments, "-f", str(hub.file)]
    found = subprocess.run(line, capture_output=True, text=True, timeout=MINUTE, cwd=hub.directory)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_a_swap_and_back_leaves_everybody_who_they_are(directory: Path) -> None:
    hub = Hub(directory)
    plain = hub.file.read_text()

    def restart(lines: str) -> None:
        hub.stop()
        hub.file.write_text(plain.replace("import greyhub\n", lines + "import greyhub\n"))
        hub.start()

    try:
        restart(PASSWORD)
        assert who(hub, "ada") == "ada"
        assert who(hub, "bob") == "bob"
        hub.spawn("ada")
        pid, home = hub.pid("ada"), hub.state / "homes" / "ada"
        (home / "mine.txt").write_text("hers")

        restart(OTHER)
        assert hub.pid("ada") == pid
        assert who(hub, "1=ada") is None, "nobody inherits by a name"
        assert who(hub, "2=mallory") == "mallory"
        assert who(hub, "2=ada") == "mallory", "a new name at the provider moves nothing"
        assert "greyhub users map ada --issuer https://id.example.org --subject 1" in hub.tail()
        command(hub, "map", "ada", "--issuer", "https://id.example.org", "--subject", "1")
        assert who(hub, "1=lovelace") == "ada"
        assert hub.pid("ada") == pid
        assert hub.answers("ada")

        restart(PASSWORD)
        assert who(hub, "ada") == "ada"
        assert who(hub, "mallory") is None
        assert hub.pid("ada") == pid
        assert (home / "mine.txt").read_text() == "hers"
        assert {each["name"] for each in hub.api("GET", "users")} == {"ada", "bob", "mallory"}

        hub.stop_server("ada")
        hub.stop()
        command(hub, "rename", "ada", "countess")
        hub.start()
        assert who(hub, "ada") == "countess"
        hub.spawn("countess")
        assert hub.ticket("countess", "homespace").data["path"] == str(home)
        assert psutil.Process(hub.pid("countess")).uids().real == home.stat().st_uid
        hub.api("DELETE", "users/bob")
        restart(OTHER)
        assert who(hub, "3=bob") is None, "the name of a deleted user is kept for them"
        assert who(hub, "4=ada") is None, "nor is a former name had"
    finally:
        hub.end()
