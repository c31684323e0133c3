"""Servers on machines that the hub does not control: a real hub, agent and single-user server."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.rendezvous.machines import ROOT, LocalMachine
from tests.support.hubs import Hub
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes

CONFIG = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from tests.rendezvous.spawner import configure
configure(c, Path(__file__).parent / "machines", f"http://127.0.0.1:{{c.JupyterHub.port}}/hub/")
c.Spawner.cmd = [{sys.executable!r}, "-m", "greyhub.singleuser", "--allow-root"]
c.GreyHub.cluster = c.GreyHub.homespace = c.GreyHub.data = None
c.JupyterHub.cleanup_servers = False
c.Spawner.poll_interval = 1
c.JupyterHub.init_spawners_timeout = 1
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
"""


@pytest.fixture
def hub(directory: Path) -> Iterator[Hub]:
    made = Hub(directory, CONFIG)
    try:
        yield made.start()
    finally:
        made.end()


def machine(hub: Hub, user: str = "ada") -> LocalMachine:
    return LocalMachine(hub.directory / "machines" / f"{user}+")


def test_server_starts_stops_and_starts_again_on_its_disk(hub: Hub) -> None:
    hub.spawn("ada")
    assert hub.answers("ada")
    keys = (machine(hub).state / "keys").read_text()
    first = hub.environment("ada")["JUPYTERHUB_API_TOKEN"]
    hub.stop_server("ada")
    assert not machine(hub).processes()
    hub.spawn("ada")
    assert hub.answers("ada")
    assert (machine(hub).state / "keys").read_text() == keys
    assert hub.environment("ada")["JUPYTERHUB_API_TOKEN"] != first


def test_nothing_secret_is_where_others_read(hub: Hub) -> None:
    hub.spawn("ada")
    token = hub.environment("ada")["JUPYTERHUB_API_TOKEN"]
    local = machine(hub)
    keys = (local.state / "keys").read_text().split()
    disk = [path for path in local.directory.rglob("*") if path.is_file()]
    readable = [local.script.read_text(), local.log(), hub.log.read_text()]
    readable += [" ".join(each.cmdline()) for each in local.processes()]
    readable += [path.read_text() for path in disk if path.name != "keys"]
    readable.append(json.dumps(hub.api("GET", "users/ada?include_stopped_servers=1")))
    assert token
    assert not [text[:80] for text in readable for each in (token, *keys) if each in text]
    assert (local.state / "keys").stat().st_mode & 0o777 == 0o600
    nonce = json.loads((local.state / "settings.json").read_text())["nonce"]
    assert nonce not in (hub.state / "hub/jupyterhub.sqlite").read_bytes().decode("latin1")


@pytest.mark.slow
def test_server_goes_on_while_the_hub_restarts(hub: Hub) -> None:
    hub.spawn("ada")
    pid = hub.pid("ada")
    hub.stop(signal.SIGKILL)
    hub.start()
    until(lambda: hub.answers("ada"), what="the server's answer")
    assert hub.pid("ada") == pid
    hub.stop_server("ada")
    assert not machine(hub).processes()


def test_machine_starts_again_after_the_hub_did(hub: Hub) -> None:
    """The hub has forgotten the token, and the machine needs its environment."""
    hub.spawn("ada")
    old = hub.environment("ada")["JUPYTERHUB_API_TOKEN"]
    hub.stop(signal.SIGKILL)
    hub.start()
    machine(hub).off()
    machine(hub).boot()
    until(lambda: machine(hub).agents() and answers(hub), what="the server's answer")
    new = hub.environment("ada")
    assert new["JUPYTERHUB_API_TOKEN"] != old
    assert "GREYHUB_SPAWNER" in new or any(name.startswith("GREYHUB_") for name in new)
    assert accepted(hub, new["JUPYTERHUB_API_TOKEN"])
    assert not accepted(hub, old)


def answers(hub: Hub) -> bool:
    try:
        return hub.answers("ada")
    except requests.RequestException:
        return False


def accepted(hub: Hub, token: str) -> bool:
    """Whether the hub knows a token."""
    return requests.get(
        f"{hub.url}hub/api/user", headers={"Authorization": f"token {token}"}, timeout=MINUTE
    ).ok


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("invited", marks=pytest.mark.slow),
        pytest.param("booted", marks=pytest.mark.slow),
        "registered",
        pytest.param("offered", marks=pytest.mark.slow),
        pytest.param("ready", marks=pytest.mark.slow),
    ],
)
def test_a_hub_that_is_killed_while_a_server_starts(hub: Hub, step: str) -> None:
    """Afterwards the server is there, once; or nothing is."""
    disks = hub.directory / "machines"
    disks.mkdir()
    (disks / f"hold-{step}").touch()
    hub.api("POST", "users/ada")
    hub.api("POST", "users/ada/server")
    until((disks / f"held-{step}").exists, what=step)
    hub.stop(signal.SIGKILL)
    hub.start()
    if step == "invited":
        until(lambda: hub.server("ada") is None, what="the end")
        assert not machine(hub).processes()
        return
    until(lambda: answers(hub), what="the server's answer")
    assert accepted(hub, hub.environment("ada")["JUPYTERHUB_API_TOKEN"])
    assert len(machine(hub).agents()) == 1
    hub.stop_server("ada")
    assert not machine(hub).processes()


@pytest.mark.slow
def test_server_goes_on_while_its_agent_restarts(hub: Hub) -> None:
    hub.spawn("ada")
    pid = hub.pid("ada")
    (agent,) = machine(hub).agents()
    agent.kill()
    until(lambda: [each.pid for each in machine(hub).agents()] not in ([], [agent.pid]), what="it")
    assert hub.pid("ada") == pid
    assert hub.answers("ada")
    hub.stop_server("ada")
    assert not machine(hub).processes()


@pytest.mark.slow
def test_server_that_ends_is_missed_and_said(hub: Hub) -> None:
    hub.spawn("ada")
    psutil.Process(hub.pid("ada")).kill()
    until(lambda: hub.server("ada") is None, 90, "the hub's notice")
    until(lambda: not machine(hub).processes(), what="the machine's end")


def test_server_that_cannot_start_says_why(directory: Path) -> None:
    config = CONFIG + 'c.Spawner.cmd = ["/bin/sh", "-c", "echo no home here >&2; exit 3"]\n'
    hub = Hub(directory, config)
    try:
        hub.start()
        hub.api("POST", "users/ada")
        hub.api("POST", "users/ada/server")
        until(lambda: hub.server("ada") is None, what="the end")
        said = hub.log.read_text()
        assert re.search(r"server ended with status 3. The end of its log:\s+no home here", said)
        until(lambda: not machine(hub).processes(), what="the machine's end")
    finally:
        hub.end()
