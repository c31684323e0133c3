"""A hub whose database is PostgreSQL, named by a secret: a login, a server, and a restart."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from greyhub.cli import group
from greyhub.ports import accepts
from tests.checks.starting import forget
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes

PASSWORD = secrets.token_hex(16)
CONFIG = 'import greyhub\nc.JupyterHub.db_url = greyhub.secret(env="DB_URL")'


@pytest.fixture
def url(directory: Path, ordinary: int) -> Iterator[str]:
    """A server of its own, which root may not run."""
    pytest.importorskip("psycopg2", reason="needs psycopg2")
    if not (shutil.which("initdb") and shutil.which("postgres")):
        pytest.skip("needs PostgreSQL's initdb and postgres on PATH")
    place, port = directory / "postgres", free_port()
    place.mkdir()
    words = place / "password"
    words.write_text(PASSWORD)
    account = {"user": ordinary, "group": ordinary} if os.geteuid() == 0 else {}
    if account:
        os.chown(place, ordinary, ordinary)
        os.chown(words, ordinary, ordinary)
    options = ["--username=greyhub", f"--pwfile={words}", "--auth=scram-sha-256", "--no-sync"]
    where = ["-D", str(place / "data")]
    subprocess.run(
        ["initdb", *where, *options], check=True, capture_output=True, timeout=MINUTE, **account
    )
    listens = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", str(place)]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            ["postgres", *where, *listens, "-c", "fsync=off"], stdout=log, stderr=log, **account
        )
    try:
        until(lambda: accepts("127.0.0.1", port), what="PostgreSQL")
        yield f"postgresql+psycopg2://greyhub:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(MINUTE)


def test_a_hub_runs_on_postgres(url: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_URL", url)
    hub = Hub(directory, CONFIG, compose="greyhub.compose(c)")
    try:
        hub.start()
        hub.login("ada")
        hub.spawn("ada")
        pid = hub.pid("ada")
        hub.stop()
        hub.start()
        assert hub.pid("ada") == pid
        assert hub.answers("ada")
        assert [each["name"] for each in hub.api("GET", "users")] == ["ada"]
        said = CliRunner().invoke(group, ["status", "--json", "-f", str(hub.file)])
        forget()
        assert said.exit_code == 0, said.output
        told = json.loads(said.output)
        assert (told["servers"], told["started"][0]["count"]) == (1, 1)
        said = CliRunner().invoke(group, ["backup", str(directory / "kept"), "-f", str(hub.file)])
        forget()
        assert "but postgresql" in said.output
        assert not (hub.state / "hub/jupyterhub.sqlite").exists()
        assert PASSWORD not in hub.log.read_text()
    finally:
        hub.end()
