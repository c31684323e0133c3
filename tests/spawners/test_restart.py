"""A server outlives its hub, and is found again after every way of ending it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import psutil
import pytest
import requests

from greyhub.spawners.process import marked
from tests.support.hubs import Hub, running
from tests.support.processes import ended
from tests.support.waiting import MINUTE, until


def accepted(hub: Hub, token: str) -> bool:
    """Whether the hub still knows a token."""
    reply = requests.get(
        f"{hub.url}hub/api/user", headers={"Authorization": f"token {token}"}, timeout=MINUTE
    )
    return reply.ok


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGTERM, id="ended", marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, id="killed"),
    ],
)
def test_server_goes_on_while_the_hub_restarts(directory: Path, how: signal.Signals) -> None:
    with running(directory) as hub:
        hub.spawn("ada")
        pid, token = hub.pid("ada"), hub.environment("ada")["JUPYTERHUB_API_TOKEN"]
        assert hub.answers("ada")
        hub.stop(how)
        assert not ended(pid)
        hub.start()
        assert until(lambda: hub.answers("ada"), what="the server's answer")
        assert hub.pid("ada") == pid
        assert accepted(hub, token)
        hub.stop_server("ada")
        assert ended(pid)
        assert not accepted(hub, token)


@pytest.mark.slow
def test_server_that_ended_meanwhile_is_noticed(directory: Path) -> None:
    with running(directory) as hub:
        hub.spawn("ada")
        token = hub.environment("ada")["JUPYTERHUB_API_TOKEN"]
        hub.stop()
        psutil.Process(hub.pid("ada")).kill()
        hub.start()
        until(lambda: hub.server("ada") is None, what="the hub's notice")
        assert not accepted(hub, token)
        hub.spawn("ada")
        assert hub.answers("ada")


@pytest.mark.slow
def test_a_server_that_was_starting_when_the_hub_was_killed_is_adopted(directory: Path) -> None:
    # This server takes its time, so that the hub is killed before it could note anything.
    gate = directory / "gate"
    slow = directory / "slow.py"
    slow.write_text(
        "import os, sys, time\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'greyhub.singleuser'])\n"
    )
    slow.chmod(0o755)
    with running(directory, f"c.Spawner.cmd = [{sys.executable!r}, {str(slow)!r}]\n") as hub:
        hub.api("POST", "users/ada")
        hub.api("POST", "users/ada/server")

        def processes() -> list[psutil.Process]:
            return [each for each in psutil.process_iter() if str(slow) in _command(each)]

        until(processes, what="the server's process")
        orphan = processes()[0]
        identity = {"GREYHUB_SERVER": orphan.environ()["GREYHUB_SERVER"]}
        hub.stop(signal.SIGKILL)
        assert not ended(orphan.pid)
        hub.start()
        gate.touch()
        hub.spawn("ada")
        assert hub.answers("ada")
        servers = [each for each in marked(identity) if each.ppid() in (1, hub_pid(hub))]
        assert [server.pid for server in servers] == [orphan.pid]
        hub.stop_server("ada")
        assert ended(orphan.pid)


STUBBORN = """
from greyhub.spawners.server import LocalSpawner

class Stubborn(LocalSpawner):
    left = 2

    async def stop(self, now=False):
        if Stubborn.left:
            Stubborn.left -= 1
            raise RuntimeError("the backend is busy")
        await super().stop(now)

c.GreyHub.spawner = Stubborn
c.Stubborn.state_dir = {directory!r}
"""


@pytest.mark.slow
def test_a_stop_that_failed_is_tried_again(directory: Path) -> None:
    config = STUBBORN.format(directory=str(directory / "greyhub-state/hub"))
    with running(directory, config) as hub:
        hub.spawn("ada")
        pid, token = hub.pid("ada"), hub.environment("ada")["JUPYTERHUB_API_TOKEN"]
        requests.delete(
            f"{hub.url}hub/api/users/ada/server",
            headers={"Authorization": f"token {hub.token}"},
            timeout=MINUTE,
        )
        until(lambda: ended(pid), what="the server's end")
        until(lambda: not accepted(hub, token), what="the end of its token")
        assert "stopping it again" in hub.log.read_text()


def hub_pid(hub: Hub) -> int:
    assert hub.process is not None
    return hub.process.pid


def _command(process: psutil.Process) -> list[str]:
    try:
        found: list[str] = process.cmdline()
        return found
    except psutil.Error:
        return []


AWAY = """
from pathlib import Path
from jupyterhub.spawner import SimpleLocalProcessSpawner
from greyhub import spawner_class

spawner_class.PAUSES = (0.2,)

class Remote(SimpleLocalProcessSpawner):
    def away(self):
        if Path({away!r}).exists():
            raise OSError("the backend is away")

    async def poll(self):
        self.away()
        return await super().poll()

    async def stop(self, now=False):
        self.away()
        return await super().stop(now)

c.GreyHub.spawner = Remote
c.Spawner.args = ["--allow-root"]
c.JupyterHub.init_spawners_timeout = 1
c.JupyterHub.tornado_settings = {{"slow_stop_timeout": 1}}
"""


def test_a_hub_that_starts_while_the_backend_is_away_loses_no_server(directory: Path) -> None:
    """JupyterHub's own class: a poll that raises is an end to it, and the server an orphan."""
    away = directory / "away"
    with running(directory, AWAY.format(away=str(away))) as hub:
        hub.spawn("ada")
        pid = hub.pid("ada")
        hub.stop(signal.SIGKILL)
        away.touch()
        hub.start()
        until(lambda: "it is not known whether" in hub.log.read_text(), what="the hub's question")
        assert not ended(pid)
        with pytest.raises(AssertionError, match="ada is pending check"):
            hub.api("POST", "users/ada/server")
        away.unlink()
        until(lambda: (hub.server("ada") or {}).get("ready"), what="the server, found again")
        assert hub.pid("ada") == pid
        away.touch()
        hub.api("DELETE", "users/ada/server")
        until(lambda: "perhaps still there" in hub.log.read_text(), what="a stop that failed")
        assert not ended(pid)
        away.unlink()
        until(lambda: hub.server("ada") is None, what="the server's end")
        assert ended(pid)
