"""Servers that the hub has forgotten: they are ended when it has started."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from greyhub.hub_database import HubDatabase
from tests.support.hubs import running
from tests.support.waiting import until

pytestmark = pytest.mark.processes

REAPING = """
import json, pathlib
from greyhub.spawners.server import LocalSpawner

class Cloud(LocalSpawner):
    async def reap(self, known):
        asked = pathlib.Path("asked.json")
        if not asked.exists():
            asked.write_text("[]")
            raise ConnectionError("the cloud is away")
        lost = [each for each in [("ada", ""), ("lost", "two")] if each not in known]
        asked.write_text(json.dumps([sorted(known), lost]))
        return ["cloud-lost-two"]

import greyhub.spawners.orphans
greyhub.spawners.orphans.PAUSES = (0.1,)
c.GreyHub.spawner = Cloud
"""


def test_what_the_hub_does_not_know_is_ended_when_it_has_started(
    directory: Path,
) -> None:
    asked = directory / "asked.json"
    with running(directory, REAPING) as hub:
        hub.spawn("ada")
        hub.spawn("grace")
        hub.stop_server("grace")
        hub.stop(signal.SIGKILL)
        asked.unlink(missing_ok=True)
        hub.log.write_text("")  # the first hub has asked, too
        hub.start()
        until(lambda: "did not know: cloud-lost-two" in hub.log.read_text(), what="the end of it")
        known, lost = json.loads(asked.read_text())
        assert known == [["ada", ""]]
        assert lost == [["lost", "two"]]
        assert "not known: ConnectionError('the cloud is away')" in hub.log.read_text()
        database = HubDatabase(f"sqlite:///{hub.state}/hub/jupyterhub.sqlite")
        assert database.servers() == {("ada", "")}


def test_a_database_that_is_not_there_tells_of_no_server(tmp_path: Path) -> None:
    assert HubDatabase(f"sqlite:///{tmp_path}/none.sqlite").servers() == set()
    assert not list(tmp_path.iterdir())


def test_they_are_kept_where_the_administrator_says_so(directory: Path) -> None:
    with running(directory, REAPING + 'c.SpawnerAdapter.orphans = "keep"\n') as hub:
        hub.spawn("ada")
        assert not (directory / "asked.json").exists()
