"""A hub that has lost its state goes on with a backup: users, tokens, servers are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from greyhub.cli import group
from tests.checks.starting import forget
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE

pytestmark = pytest.mark.processes


def call(*arguments: str | Path) -> Result:
    said = CliRunner().invoke(group, list(map(str, arguments)), prog_name="greyhub")
    forget()
    assert said.exception is None or isinstance(said.exception, SystemExit), said.exc_info
    return said


def good(*arguments: str | Path) -> str:
    said = call(*arguments)
    assert said.exit_code == 0, said.output
    return said.output


def test_a_lost_state_is_restored(directory: Path) -> None:
    hub, kept = Hub(directory / "hub"), directory / "kept"
    try:
        hub.start()
        hub.spawn("ada")
        pid = hub.pid("ada")
        token = hub.api("POST", "users/ada/tokens")["token"]
        password = hub.password
        assert "files" in good("backup", kept, "-f", hub.file, "--keep", "2")
        hub.api("POST", "users/bob")
        said = call("restore", kept, "-f", hub.file)
        assert said.exit_code == 1
        assert "the hub runs" in said.output
        hub.stop()
        shutil.rmtree(hub.state / "hub")
        said = good("restore", kept, "-f", hub.file)
        assert "start the hub" in said
        assert password not in said
        hub.start()
        assert [each["name"] for each in hub.api("GET", "users")] == ["ada"]
        model = hub.server("ada")
        assert model is not None
        assert model["ready"]
        assert hub.pid("ada") == pid
        assert hub.answers("ada")
        whose = requests.get(
            f"{hub.url}hub/api/user", headers={"Authorization": f"token {token}"}, timeout=MINUTE
        )
        assert whose.json()["name"] == "ada"
        assert hub.password == password
    finally:
        hub.end()


def test_a_state_directory_is_enough(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "hub").mkdir(parents=True)
    (state / "hub/kubernetes-id").write_text("one")
    said = good("backup", tmp_path / "kept", "--state", state)
    assert "note: the hub's database is not in it" in said
    (state / "hub/kubernetes-id").write_text("two")
    assert "say --stopped" in call("restore", tmp_path / "kept", "--state", state).output
    good("restore", tmp_path / "kept", "--state", state, "--stopped")
    assert (state / "hub/kubernetes-id").read_text() == "one"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backup", "kept", "--state", "nowhere"], "start the hub once"),
        (["backup", "kept"], "no config file"),
        (["backup", "kept", "-f", "some_config.py", "--state", "state"], "exclude each other"),
        (["restore", "kept", "--state", "state", "--stopped"], "there is no backup"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some_config.py").touch()
    answer = call(*arguments)
    assert answer.exit_code in (1, 2)
    assert said in answer.output


def test_a_database_server_s_backups_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pymysql.py").write_text("paramstyle = 'pyformat'")  # nobody connects
    monkeypatch.syspath_prepend(str(tmp_path))
    hub = Hub(tmp_path, "c.JupyterHub.db_url = 'mysql+pymysql://db.example.org/hub'")
    (hub.state / "hub").mkdir(parents=True)
    (hub.state / "hub/cookie_secret").write_text("one")
    assert "but mysql" in good("backup", tmp_path / "kept", "-f", hub.file)
