"""An agent that is killed, or whose machine loses its power, at each thing that the agent does.

Afterwards the server is there, once, and as it was if it ran already. Nothing secret is where
others read, and who shows the nonce again gets nothing.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from greyhub.agent.hub import Hub as AskedHub
from greyhub.agent.hub import NotGiven
from greyhub.conformance.spawner import probe
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.rendezvous.protocol import Keys
from greyhub.rendezvous.script import DIRECTORY
from tests.azureml.platforms import shared_directory
from tests.azureml.test_spawner import Platform, a_platform
from tests.rendezvous.machines import crashing
from tests.support.ports import free_port
from tests.support.waiting import until

pytestmark = pytest.mark.processes

SERVER = f"""
import runpy, signal, subprocess
# A kernel: in a session of its own, and it does not end when it is asked to.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "1000"], start_new_session=True)
runpy.run_path({probe.__file__!r}, run_name="__main__")
"""

CONFIG = """
from greyhub.rendezvous.service import Rendezvous
Rendezvous.__init__.__defaults__ = (1.0, None)  # a heartbeat each second
c.AzureMLSpawner.access = "tunnel"
c.AzureMLSpawner.server_networks = []
c.AzureMLSpawnerAdapter.tunnel_port = {tunnel}
c.AzureMLSpawner.agent_python = {agent!r}
c.Spawner.cmd = [{python!r}, "-IS", "-c", {server!r}]
"""

START = """
write keys.new 1, rename keys 1
ask register 1, heard register 1, ask register 2, heard register 2
write registered.new 1, rename registered 1
ask boot 1, heard boot 1
write run.json.new 1, rename run.json 1, write server.log 1, start the server 1
write run.json.new 2, rename run.json 2
ask report 1, ask report 2, heard report 1
tunnel connect 1, tunnel send 1, tunnel connect 2, tunnel send 2
"""
AGAIN = """
ask boot 1, heard boot 1, ask boot 2, heard boot 2
write run.json.new 1, rename run.json 1, remove server.log 1, write server.log 1
start the server 1, write run.json.new 2, rename run.json 2
ask report 1, heard report 1, tunnel connect 1, tunnel send 1, tunnel connect 2, tunnel send 2
"""
RUNNING = "ask report, heard report, tunnel connect, tunnel send"
STOP = "signal 15 1, signal 15 2, signal 9 1, write run.json.new, rename run.json, ask boot"
"""What an agent does until its server is there; on a machine with a disk; while it runs; as it
is ended."""

QUICK = {
    ("START", "heard register 2", "kill"),
    ("AGAIN", "start the server 1", "cut"),
    ("RUNNING", "heard report", "kill"),
    ("STOP", "signal 9 1", "kill"),
}


def moments(text: str) -> list[str]:
    return [each.strip() for each in text.replace("\n", ",").split(",") if each.strip()]


def cases(name: str) -> Any:
    """Each moment: the agent is killed there, or its machine's power is cut."""
    return pytest.mark.parametrize(
        ("moment", "how"),
        [
            pytest.param(each, how, marks=[] if (name, each, how) in QUICK else [pytest.mark.slow])
            for each in moments(globals()[name])
            for how in ("kill", "cut")
        ],
    )


class Crashes:
    """A platform whose agents can be told where to die."""

    numbers = count()

    def __init__(self, platform: Platform, control: Path) -> None:
        self.platform, self.hub, self.azure = platform, platform.hub, platform.azure
        self.control = control

    def new(self) -> None:
        """The next case: another user, whose agent does not die yet."""
        self.user = f"ada{next(self.numbers)}"
        for each in self.control.iterdir():
            each.unlink()
        self.hub.api("POST", f"users/{self.user}")
        self.said = len(self.hub.log.read_text())

    def at(self, moment: str, how: str, act: Callable[[], object]) -> None:
        """Begin something, and let the agent or the machine die in it."""
        signal = "SIGKILL" if how == "kill" else "SIGSTOP"
        (self.control / "new").write_text(f"{moment} {signal}")
        (self.control / "new").rename(self.control / "at")
        threading.Thread(target=act, daemon=True).start()
        until((self.control / "reached").exists, what=moment)
        if how == "cut":
            [name] = self.platform.instances(self.user)
            until(lambda: self.azure.state(name) == "Running", what="the machine's start")
            self.azure.reset(name)

    def ask(self, method: str, path: str) -> None:
        """Ask the hub, which may refuse."""
        with suppress(AssertionError, requests.RequestException):
            self.hub.api(method, path)

    def start(self) -> None:
        self.ask("POST", f"users/{self.user}/server")

    def stop(self) -> None:
        self.ask("DELETE", f"users/{self.user}/server")

    def processes(self, word: str) -> list[int]:
        """The processes on the user's machine with a word among their arguments."""
        return [pid for pid in self.platform.pids(self.user) if word in read(pid, "cmdline")]

    def servers(self) -> list[int]:
        return self.processes(SERVER)

    def agents(self) -> list[int]:
        return self.processes("greyhub.agent")

    def is_whole(self) -> None:
        """There is one server, it answers, and nobody else gets anything."""
        self.hub.spawn(self.user)
        until(lambda: self.platform.answers(self.user), what="the server's answer")
        until(lambda: len(self.agents()) == 1, what="one agent")
        assert len(self.servers()) == 1
        assert len(self.processes("sleep\x001000")) == 1
        assert "attack" not in self.hub.log.read_text()[self.said :]
        self.keeps_its_secrets()
        self.refuses_another()

    def keeps_its_secrets(self) -> None:
        [name] = self.platform.instances(self.user)
        disk, [server] = self.azure.disk(name), self.servers()
        agent = disk / DIRECTORY.lstrip("/")
        given = dict(each.partition("=")[::2] for each in read(server, "environ").split("\0"))
        secrets = [given["JUPYTERHUB_API_TOKEN"], *(agent / "keys").read_text().split()]
        own = [path for path in agent.iterdir() if path.name in ("keys", "keys.new")]
        assert not [path for path in agent.iterdir() if path.stat().st_mode & 0o077]
        others = [path for path in disk.rglob("*") if path.is_file() and path not in own]
        texts = {str(path): path.read_bytes().decode("latin1") for path in others}
        texts |= {f"arguments of {pid}": read(pid, "cmdline") for pid in self.processes("")}
        texts |= {f"environment of {pid}": read(pid, "environ") for pid in self.agents()}
        texts["the hub's log"] = self.hub.log.read_text()
        for each in self.azure.requests:
            texts[each.path] = texts.get(each.path, "") + f"{each.body}{each.answer}"
        assert all(secrets)
        assert not [where for where, text in texts.items() if any(s in text for s in secrets)]

    def refuses_another(self) -> None:
        """Who has read the nonce shows it: neither of two agents is trusted then."""
        [name] = self.platform.instances(self.user)
        settings = self.azure.disk(name) / DIRECTORY.lstrip("/") / "settings.json"
        said = json.loads(settings.read_text())
        stranger = AskedHub(said["hub"], keys := Keys.make())
        known = {"nonce": said["nonce"], "sealing": keys.public.sealing, "machine": {}}
        with pytest.raises(NotGiven, match="409 this nonce has been used by another agent"):
            stranger.ask("register", **known)
        with pytest.raises(NotGiven, match="403"):
            stranger.ask("boot", after="", status=0, log="")
        until(lambda: not self.platform.instances(self.user), what="the end of the machine")


def read(pid: int, what: str) -> str:
    """A file of a process in /proc; empty if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/{what}").read_bytes().decode("latin1")
    return ""


@pytest.fixture(scope="module")
def platform() -> Iterator[Crashes]:
    with shared_directory() as directory, Simulator() as azure:
        control = directory / "control"
        control.mkdir()
        known = {"agent": str(crashing(control)), "python": sys.executable, "server": SERVER}
        config = CONFIG.format(tunnel=free_port(), **known)
        with a_platform(azure, directory / "hub", config) as made:
            yield Crashes(made, control)


@pytest.fixture
def crashes(platform: Crashes) -> Crashes:
    platform.new()
    return platform


@cases("START")
def test_in_a_first_start(crashes: Crashes, moment: str, how: str) -> None:
    crashes.at(moment, how, crashes.start)
    crashes.is_whole()


@cases("AGAIN")
def test_in_a_later_start(crashes: Crashes, moment: str, how: str) -> None:
    crashes.hub.spawn(crashes.user)
    crashes.hub.stop_server(crashes.user)
    crashes.at(moment, how, crashes.start)
    crashes.is_whole()


@cases("RUNNING")
def test_while_the_server_runs(crashes: Crashes, moment: str, how: str) -> None:
    crashes.hub.spawn(crashes.user)
    before = crashes.servers()
    crashes.at(moment, how, partial(crashes.platform.answers, crashes.user))
    until(lambda: crashes.platform.answers(crashes.user), what="the server's answer")
    assert (crashes.servers() == before) == (how == "kill")
    crashes.is_whole()


@cases("STOP")
def test_as_the_server_is_ended(crashes: Crashes, moment: str, how: str) -> None:
    crashes.hub.spawn(crashes.user)
    crashes.at(moment, how, crashes.stop)
    until(lambda: crashes.hub.server(crashes.user) is None, 60, "the end of the server")
    assert (crashes.platform.state(crashes.user), crashes.processes("")) == ("Stopped", [])
    crashes.is_whole()


@pytest.mark.slow
def test_these_are_all_moments(crashes: Crashes) -> None:
    """A whole life of an agent does nothing that has no case above."""
    every = moments(START + AGAIN + f"{RUNNING}, {STOP}")
    known = {re.sub(r" \d$", "", each) for each in every}
    for _ in range(2):
        crashes.hub.spawn(crashes.user)
        crashes.hub.stop_server(crashes.user)
    done = (crashes.control / "moments").read_text().splitlines()
    assert {each.rpartition(" ")[0] for each in done} == known
