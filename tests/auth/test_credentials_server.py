"""Credentials in a server that a real hub has started: what is there, and what is nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greyhub.conformance.testkit.provider import Person, Provider
from tests.auth.hubs import hub_by, log_in
from tests.support.hubs import Hub
from tests.support.processes import started_in
from tests.support.waiting import MINUTE

pytestmark = pytest.mark.processes

ASK = """
import greyhub
hub = greyhub.connect()
print(hub.token("storage"))
"""


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.audiences = {"storage"}
    yield made
    made.close()


@pytest.fixture
def hub(provider: Provider) -> Iterator[Hub]:
    audiences = {"storage": {"audience": "storage"}}
    with hub_by(provider, f"c.AuthAdapter.audiences = {audiences}") as made:
        yield made


def test_a_notebook_has_a_token_and_the_refresh_token_is_nowhere(
    hub: Hub, provider: Provider
) -> None:
    ada = Person("ada")
    assert log_in(hub, provider, ada) == "ada"
    hub.spawn("ada")
    inside = hub.environment("ada")
    answer = subprocess.run(
        [sys.executable, "-c", ASK],
        env=inside,
        cwd=inside["HOME"],
        capture_output=True,
        text=True,
        timeout=MINUTE,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr + hub.tail()
    token = answer.stdout.strip()
    assert provider.holder(token, "storage") == ada

    mine = [grant.refresh for grant in provider.grants]
    assert len(mine) >= 2
    secret = [*mine, provider.client_secret, provider.grants[0].access]
    where = {f"process {each.pid}": _of(each.pid) for each in _servers(hub)}
    for folder, _, names in os.walk(hub.directory):
        for file in (Path(folder, name) for name in names):
            if file.is_file() and not file.is_symlink():
                where[str(file)] = file.read_bytes()
    assert any("homes/ada" in name for name in where)
    assert str(hub.log) in where
    assert any(name.startswith("process") for name in where)
    found = [name for name, text in where.items() if any(each.encode() in text for each in secret)]
    assert found == []
    assert token not in hub.log.read_text()


def _servers(hub: Hub) -> list[Any]:
    pid = hub.pid("ada")
    return [each for each in started_in(hub.directory) if each.pid == pid]


def _of(pid: int) -> bytes:
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("environ", "cmdline"))
