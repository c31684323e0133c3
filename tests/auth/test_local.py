"""One password, on loopback alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from greyhub.auth.password import LocalPassword
from greyhub.ticket import variable
from tests.checks.starting import refusal, write
from tests.support.hubs import Hub, running
from tests.support.waiting import MINUTE


def logged_in(hub: Hub, user: str, password: str | None = None) -> bool:
    session = hub.login(user, password)
    return session.get(f"{hub.url}hub/home", timeout=MINUTE).url.endswith("/hub/home")


def test_the_password_that_was_made_lets_in_and_its_place_is_told(hub: Hub) -> None:
    told = hub.log.read_text()
    assert f"Log in as any name with the password in {hub.state / 'hub/password'}" in told
    assert hub.password not in told
    assert (hub.state / "hub/password").stat().st_mode & 0o077 == 0
    assert logged_in(hub, "ada")
    assert not logged_in(hub, "ada", "wrong")
    assert not logged_in(hub, "ada", "")


def test_named_users_alone_are_let_in_and_admins_need_their_own_password(directory: Path) -> None:
    config = """\
    c.LocalPassword.user_password = "correct horse"
    c.LocalPassword.allowed_users = {"ada"}
    c.LocalPassword.admin_users = {"grace"}
    """
    with running(directory, config) as hub:
        assert logged_in(hub, "ada", "correct horse")
        assert not logged_in(hub, "bob", "correct horse")
        assert not logged_in(hub, "grace", "correct horse")
        made = (hub.state / "hub/admin-password").read_text()
        assert logged_in(hub, "grace", made)
        assert hub.api("GET", "users/grace")["admin"]
        assert not hub.api("GET", "users/ada")["admin"]


@pytest.mark.parametrize(
    "line",
    [
        'c.JupyterHub.ip = "0.0.0.0"',
        'c.JupyterHub.ip = ""',
        'c.JupyterHub.bind_url = "http://:8000"',
        'c.JupyterHub.bind_url = "http://192.0.2.1:8000/"',
        'c.JupyterHub.ip = "hub.example.org"',
    ],
)
def test_any_address_but_loopback_is_refused(tmp_path: Path, line: str) -> None:
    said = refusal(write(tmp_path, line))
    assert 'c.GreyHub.auth = "local"' in said
    assert "one shared password must not leave this machine" in said
    assert 'c.GreyHub.auth = "pam"' in said


def test_an_address_on_the_command_line_is_refused_too(directory: Path) -> None:
    said = Hub(directory, arguments=("--ip=0.0.0.0",)).refused()
    assert "the hub would listen on 0.0.0.0" in said


def test_an_address_set_after_compose_is_refused_too(directory: Path) -> None:
    compose = "import greyhub\ngreyhub.compose(c)\nc.JupyterHub.ip = '0.0.0.0'"
    said = Hub(directory, compose=compose).refused()
    assert "c.JupyterHub.ip: this is set after greyhub.compose(c)" in said


def test_another_authenticator_lets_nobody_in_unless_told(directory: Path) -> None:
    config = """\
    c.GreyHub.auth = "shared-password"
    c.SharedPasswordAuthenticator.user_password = "correct horse"
    c.JupyterHub.ip = "127.0.0.1"
    c.GreyHub.accepted_risks = ["nobody"]
    """
    with running(directory, config) as hub:
        assert not logged_in(hub, "ada", "correct horse")
        assert "ada" not in [user["name"] for user in hub.api("GET", "users")]


def test_a_terminal_is_shown_the_password_that_was_made_and_no_other(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    made = LocalPassword(state_dir=str(directory))
    made.announce()
    assert f"password: {made.user_password}" in capsys.readouterr().err
    given = LocalPassword(state_dir=str(directory), user_password="correct horse")
    given.announce()
    said = capsys.readouterr().err
    assert "greyhub: ready at http://127.0.0.1:8000" in said
    assert "correct horse" not in said
    assert made.user_password not in said


def test_the_last_lines_say_where_how_and_how_to_stop(hub: Hub) -> None:
    start = hub.log.read_text().partition("JupyterHub is now running")[2]
    assert f"greyhub: ready at {hub.url.rstrip('/')}" in start
    assert "Log in as any name" in start
    assert "Ctrl+C stops the hub; servers go on" in start


@pytest.mark.parametrize(
    "command",
    [
        ["token", "ada"],
        ["token", "ada", "--log-level=DEBUG"],
        ["upgrade-db"],
        ["upgrade-db", "--debug"],
        ["--version"],
        ["--help"],
        ["--show-config"],
        ["--show-config-json"],
        ["--help-all"],
        ["--version", "--debug"],
    ],
    ids=" ".join,
)
def test_a_command_that_starts_no_hub_prints_no_password(
    command: list[str], tmp_path: Path
) -> None:
    config = """\
    c.ConfigurableHTTPProxy.should_start = False
    c.LocalPassword.admin_users = {"ada"}
    """
    made = Hub(tmp_path, config)
    ran = subprocess.run(
        [sys.executable, "-m", "jupyterhub", *command, "-f", str(made.file)],
        cwd=tmp_path,
        env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": "for-a-proxy-that-is-not-there"},
        capture_output=True,
        text=True,
        timeout=2 * MINUTE,
    )
    assert ran.returncode == 0, ran.stderr
    assert "ready at" not in ran.stderr
    assert "Log in" not in ran.stderr
    for kept in (made.state / "hub").glob("*password"):
        assert kept.read_text() not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["check", "--live"],
        ["check", "--json"],
        ["show"],
        ["show", "--all"],
        ["adapters"],
    ],
    ids=" ".join,
)
def test_greyhubs_own_commands_print_no_password(command: list[str], hub: Hub) -> None:
    file = [] if command == ["adapters"] else ["-f", str(hub.file)]
    ran = subprocess.run(
        [sys.executable, "-m", "greyhub.cli", *command, *file],
        cwd=hub.directory,
        capture_output=True,
        text=True,
        timeout=2 * MINUTE,
    )
    assert ran.returncode in (0, 1), ran.stderr
    assert hub.password not in ran.stdout + ran.stderr


@pytest.mark.parametrize("command", ["--show-config", "--show-config-json", "--generate-certs"])
def test_a_command_that_starts_no_hub_needs_no_port_and_says_nothing_of_a_start(
    command: str, tmp_path: Path
) -> None:
    made = Hub(tmp_path)
    with socket.create_server(("127.0.0.1", made.port)):
        ran = subprocess.run(
            [sys.executable, "-m", "jupyterhub", command, "-f", str(made.file)],
            cwd=tmp_path,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=2 * MINUTE,
        )
    assert ran.returncode == 0, ran.stderr
    assert "greyhub: " not in ran.stderr
    assert not (tmp_path / "cache").exists()  # where a proxy would be installed
    if command == "--show-config-json":
        assert json.loads(ran.stdout)["GreyHub"]["composed"]


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_a_server_that_only_tells_leaves_the_home_alone(argument: str, tmp_path: Path) -> None:
    """As where a user asks in a terminal of a server, whose home another process keeps."""
    ticket = {"version": 1, "slot": "homespace", "data": {"mode": "sync", "path": "/no/such"}}
    ran = subprocess.run(
        [sys.executable, "-m", "greyhub.singleuser", argument],
        cwd=tmp_path,
        env={**os.environ, variable("homespace"): json.dumps(ticket), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=2 * MINUTE,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout
    assert not ran.stderr
