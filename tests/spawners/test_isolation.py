"""Who can see what, with root's hub and with an ordinary user's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.hubs import Hub, running
from tests.support.waiting import MINUTE


def run_as(uid: int, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command the way a user's server would."""
    return subprocess.run(
        command, user=uid, group=uid, extra_groups=[], cwd="/", capture_output=True, text=True
    )


def uid_of(hub: Hub, user: str) -> int:
    return Path(f"/proc/{hub.pid(user)}").stat().st_uid


@pytest.mark.root
def test_users_are_kept_apart(hub: Hub) -> None:
    for user in ("ada", "bob"):
        hub.spawn(user)
    ada, bob = uid_of(hub, "ada"), uid_of(hub, "bob")
    assert len({ada, bob, 0}) == 3
    home = Path(hub.ticket("ada", "homespace").data["path"])
    assert run_as(ada, "ls", str(home)).returncode == 0
    for secret in (home, Path(f"/proc/{hub.pid('ada')}/environ"), hub.state / "hub"):
        seen = run_as(bob, "cat" if secret.is_file() else "ls", str(secret))
        assert "Permission denied" in seen.stderr, secret
    signalled = run_as(bob, "kill", "-0", str(hub.pid("ada")))
    assert "not permitted" in signalled.stderr
    listed = run_as(bob, "ls", str(hub.state / "homes"))
    assert "Permission denied" in listed.stderr


@pytest.mark.root
def test_private_sockets_and_files_of_the_server(hub: Hub) -> None:
    hub.spawn("ada")
    bob = uid_of(hub, "ada") + 1
    # A server that was killed leaves its file, and its number may be this one's now.
    told = Path("/tmp").glob(f"greyhub-*/jpserver-{hub.pid('ada')}.json")
    server = max(told, key=lambda each: each.stat().st_mtime)
    assert run_as(bob, "ls", str(server.parent)).returncode != 0
    made = hub.state / "homes/ada/made"
    run_as(uid_of(hub, "ada"), "touch", str(made))
    umask = Path(f"/proc/{hub.pid('ada')}/status").read_text().split("Umask:\t")[1][:4]
    assert umask == "0077"


@pytest.mark.root
def test_a_user_cannot_use_another_users_server_or_token(hub: Hub) -> None:
    for user in ("ada", "bob"):
        hub.spawn(user)
    token = hub.environment("bob")["JUPYTERHUB_API_TOKEN"]
    asked = requests.get(
        f"{hub.url}user/ada/api/contents",
        headers={"Authorization": f"token {token}"},
        timeout=MINUTE,
    )
    assert asked.status_code == 403
    session = hub.login("bob")
    assert session.get(f"{hub.url}user/ada/api/contents", timeout=MINUTE).status_code in (403, 404)


@pytest.mark.root
def test_the_uid_stays_over_stops_and_differs_from_everyones(hub: Hub) -> None:
    hub.spawn("ada")
    first = uid_of(hub, "ada")
    hub.stop_server("ada")
    hub.spawn("ada")
    assert uid_of(hub, "ada") == first
    hub.spawn("carol")
    assert uid_of(hub, "carol") not in (first, 0)


@pytest.mark.slow
def test_an_ordinary_users_hub_says_that_users_are_not_apart(
    directory: Path, ordinary: int
) -> None:
    account = ordinary if ordinary == 65534 else None
    with running(directory, account=account) as hub:
        hub.spawn("ada")
        hub.spawn("bob")
        assert uid_of(hub, "ada") == uid_of(hub, "bob") == ordinary
        page = hub.login("ada").get(f"{hub.url}hub/home", timeout=MINUTE).text
        assert "users can read each other" in page
        assert "users are not kept apart" in hub.log.read_text()


@pytest.mark.root
def test_an_interpreter_that_users_cannot_read_is_refused(directory: Path) -> None:
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(closed)], check=True)
    packages = next(closed.glob("lib/python*/site-packages"))
    (packages / "tests.pth").write_text("\n".join(path for path in sys.path if path))
    hub = Hub(directory / "hub", interpreter=str(closed / "bin/python"))
    said = hub.refused()
    assert f"the interpreter {closed}/bin/python" in said
    assert "cannot be read by the uids of the users" in said
    assert "/srv/greyhub" in said
