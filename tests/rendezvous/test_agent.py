"""The agent as a process of a machine: what it starts and ends, and what it survives."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from greyhub.agent.state import State
from greyhub.conformance.testkit.certificates import Authority
from greyhub.rendezvous.offers import MachineFailed, Offer
from tests.conftest import make_directory
from tests.rendezvous.conftest import Place
from tests.rendezvous.machines import LocalMachine, crashing
from tests.rendezvous.test_protocol import until
from tests.support.processes import command, ended, environment

pytestmark = pytest.mark.processes

NETWORKS = ["127.0.0.0/8", "::1/128"]
URL = "JUPYTERHUB_SERVICE_URL"

SERVER = f"""
import http.server, os, signal, subprocess, sys
from urllib.parse import urlsplit
# A kernel: in a session of its own, and it does not end when it is asked to.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "1000"], start_new_session=True)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
where = urlsplit(os.environ["{URL}"])
handler = http.server.BaseHTTPRequestHandler
http.server.HTTPServer((where.hostname, where.port), handler).serve_forever()
"""


@pytest.fixture
async def local() -> AsyncIterator[LocalMachine]:
    disk = make_directory()
    made = LocalMachine(disk / "machine")
    yield made
    await asyncio.to_thread(made.off)
    shutil.rmtree(disk, ignore_errors=True)


def offering(environment: dict[str, str] | None = None, **fields: Any) -> Any:
    async def make() -> Offer:
        given = {URL: "http://127.0.0.1:0/user/ada/", **(environment or {})}
        return Offer(given, **{"command": [sys.executable, "-c", SERVER], **fields})

    return make


async def start(place: Place, local: LocalMachine, make: Any = None, **options: Any) -> Any:
    machine = place.machine()
    local.create(hub=place.url, nonce=machine.invite(), **options)
    machine.offer(make or offering(), NETWORKS)
    await asyncio.to_thread(local.boot)
    return machine


async def ready(machine: Any) -> int:
    async with asyncio.timeout(60):
        _, port = await machine.await_ready()
    return int(port)


def servers(local: LocalMachine) -> list[psutil.Process]:
    return [each for each in local.processes() if SERVER in command(each)]


async def test_the_server_has_its_environment_byte_for_byte(place: Place, local) -> None:
    values = {
        "TOKEN": "s3cret",
        "HARD": "a'b\"c $HOME `id` \\ \n\t = {port} %s é 数 \x7f",
        "EMPTY": "",
        "PATH": "/usr/bin:/bin",
    }
    machine = await start(place, local, offering(values))
    port = await ready(machine)
    (server,) = servers(local)
    given = server.environ()
    assert given.items() >= values.items()
    assert given[URL] == f"http://127.0.0.1:{port}/user/ada/"
    assert "MACHINE" not in given
    assert not [each for each in local.processes() if "s3cret" in " ".join(command(each))]


async def test_the_end_is_of_all_that_the_server_has_started(place: Place, local) -> None:
    machine = await start(place, local)
    await ready(machine)
    await until(lambda: len(marked(local)) == 2)
    before = marked(local)
    machine.withdraw()
    async with asyncio.timeout(60):
        await machine.await_ended()
    assert all(ended(each.pid) for each in before)
    assert local.agents()
    machine.offer(offering(), NETWORKS)  # and another one begins
    await ready(machine)


def marked(local: LocalMachine) -> list[psutil.Process]:
    """The server and what it has started."""
    return [each for each in local.processes() if "GREYHUB_AGENT_RUN=" in environment(each)]


async def test_a_new_run_ends_the_one_before(place: Place, local) -> None:
    machine = await start(place, local)
    await ready(machine)
    (first,) = servers(local)
    machine.offer(offering({"RUN": "2"}), NETWORKS)
    await ready(machine)
    (second,) = servers(local)
    assert ended(first.pid)
    assert second.environ()["RUN"] == "2"


async def test_certificates_are_the_servers_alone(place: Place, local) -> None:
    machine = await start(place, local, offering(files={"keyfile.pem": "a key"}))
    await ready(machine)
    path = local.state / "files/keyfile.pem"
    assert path.read_text() == "a key"
    assert path.stat().st_mode & 0o777 == 0o600
    machine.withdraw()
    await until(lambda: not path.exists())


@pytest.mark.root
async def test_the_server_has_an_account_of_its_own(place: Place, local) -> None:
    make = offering({"HOME": "/"}, account="nobody", files={"key": "a key"})
    machine = await start(place, local, make)
    await ready(machine)
    (server,) = servers(local)
    nobody = server.uids().real
    assert nobody != os.getuid()
    assert (local.state / "files/key").stat().st_uid == nobody
    assert (local.state / "keys").stat().st_uid == os.getuid()
    assert (local.state / "keys").stat().st_mode & 0o077 == 0


@pytest.mark.root
async def test_a_server_with_an_account_can_read_its_certificates(place: Place, local) -> None:
    reading = ["sh", "-c", f"cat {local.state}/files/key; cat {local.state}/keys; exit 5"]
    make = offering(
        account="nobody", files={"key": "a certificate"}, command=reading, directory="/"
    )
    machine = await start(place, local, make)
    with pytest.raises(MachineFailed, match="a certificate") as failed:
        await ready(machine)
    assert "keys: Permission denied" in str(failed.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"command": ["/no/such/program"], "files": {"key": "a key"}},
            "No such file or directory: '/no/such/program'",
        ),
        ({"account": "no-such-account"}, "no-such-account"),
        ({"directory": "/no/such/place"}, "/no/such/place"),
        ({"files": {"../keys": "x"}}, "a file with the name '../keys'"),
        ({"command": ["sh", "-c", "echo sad; exit 7"]}, "status 7. The end of its log:\nsad"),
        ({"command": ["sh", "-c", "kill -9 $$"]}, "status -9"),
    ],
)
async def test_what_cannot_start_is_said(place: Place, local, fields, said: str) -> None:
    machine = await start(place, local, offering(**fields))
    with pytest.raises(MachineFailed) as failed:
        await ready(machine)
    assert said in str(failed.value)
    assert not marked(local)
    assert not any(local.state.glob("files/*"))


async def test_every_answer_is_lost_once(place: Place, local) -> None:
    place.lose.update({"register", "boot", "report"})
    machine = await start(place, local)
    await ready(machine)
    await until(lambda: not place.lose)
    assert len(servers(local)) == 1
    place.lose.add("boot")
    servers(local)[0].kill()
    await until(lambda: machine.over)
    assert machine.reason == "the server ended with status -9"
    await until(lambda: not place.lose)


@pytest.mark.parametrize("moment", ["signal 9", "write run.json.new"])
async def test_an_agent_that_is_killed_as_it_ends_a_server_leaves_nothing_of_it(
    place: Place, local, moment: str
) -> None:
    """Neither a kernel that goes on beside those of the next server, nor a file."""
    control = local.directory.parent / "control"
    control.mkdir()
    make = offering(files={"key": "a key"})
    machine = await start(place, local, make, python=str(crashing(control)))
    await ready(machine)
    await until(lambda: len(marked(local)) == 2)
    before = marked(local)
    (control / "at").write_text(f"{moment} SIGKILL")
    machine.withdraw()
    await until((control / "reached").exists)
    await until(lambda: all(ended(each.pid) for each in before))
    await until(lambda: not any(local.state.glob("files/*")))
    machine.offer(make, NETWORKS)
    await ready(machine)
    assert len(servers(local)) == 1


def test_keys_outlast_the_power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is on the disk before it has its name, and the name before the hub has the keys."""
    (tmp_path / "settings.json").write_text("{}")
    kept: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda file: kept.append(os.readlink(f"/proc/self/fd/{file}")))
    State(tmp_path).keys()
    assert kept == [str(tmp_path / "keys.new"), str(tmp_path)]


async def test_a_machine_that_starts_again_starts_its_server(place: Place, local) -> None:
    machine = await start(place, local)
    port = await ready(machine)
    await asyncio.to_thread(local.off)
    assert not servers(local)
    place.rendezvous._register = None  # it is done once
    await asyncio.to_thread(local.boot)
    await until(lambda: servers(local))
    assert f":{port}/" in servers(local)[0].environ()[URL]
    assert await ready(machine) == port


async def test_what_is_to_be_installed_is_so_once_it_can(place: Place, local) -> None:
    disk = local.directory.parent
    lines = [f"echo try >> {disk}/tries", f"test -e {disk}/net", f"echo done >> {disk}/log"]
    machine = await start(place, local, install=lines)
    tries = disk / "tries"
    await until(lambda: tries.exists() and tries.read_text().count("try") > 1)
    assert not (disk / "log").exists()
    (disk / "net").touch()
    await ready(machine)
    await asyncio.to_thread(local.off)
    await asyncio.to_thread(local.boot)
    await until(lambda: servers(local))
    assert (disk / "log").read_text() == "done\n"


async def test_a_hub_for_which_nobody_vouches_gets_nothing(local) -> None:
    place = Place(Authority(local.directory.parent).serving())
    machine = await start(place, local)
    await until(lambda: "CERTIFICATE_VERIFY_FAILED" in local.log())
    assert machine.keys is None
    place.server.stop()


async def test_a_hub_for_which_its_authority_vouches_is_the_hub(local) -> None:
    authority = Authority(local.directory.parent)
    place = Place(authority.serving())
    machine = await start(place, local, authorities=authority.ca.read_text())
    await ready(machine)
    place.server.stop()
