"""An agent that is a job: it ends with its server, has its status, and waits for nobody."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from greyhub.agent.once import run_once
from greyhub.agent.running import Agent
from greyhub.agent.server import Server
from greyhub.agent.state import State
from greyhub.rendezvous.offers import Offer
from greyhub.rendezvous.script import job_command
from tests.conftest import make_directory
from tests.rendezvous.conftest import Place
from tests.rendezvous.test_protocol import until
from tests.support.processes import started_in

pytestmark = pytest.mark.processes


@pytest.fixture
async def disk() -> AsyncIterator[Path]:
    made = make_directory()
    yield made
    for each in started_in(made):
        each.kill()
    shutil.rmtree(made, ignore_errors=True)


def offering(code: str) -> Any:
    async def make() -> Offer:
        return Offer({"SECRET": "s3cr3t"}, [sys.executable, "-c", code], grace=1)

    return make


async def submit(place: Place, disk: Path, nonce: str) -> asyncio.subprocess.Process:
    """A job whose command the cloud runs."""
    command = job_command(
        hub=place.url, nonce=nonce, directory=str(disk / "agent"), python=sys.executable
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(disk), "PWD": str(disk)}
    return await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", command, env=environment, cwd=disk, stdout=asyncio.subprocess.PIPE
    )


async def ended(job: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(60):
        return await job.wait()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os; assert os.environ['SECRET'] == 's3cr3t'", 0),
        ("import sys; sys.exit('no such thing')", 1),
        ("import os; os.kill(os.getpid(), 9)", 137),
    ],
)
async def test_its_status_is_the_servers(place: Place, disk: Path, code: str, status: int) -> None:
    machine = place.machine()
    machine.once = True
    nonce = machine.invite(60, "a nonce of the caller's")
    assert nonce == "a nonce of the caller's"
    machine.offer(offering(code), None)
    job = await submit(place, disk, nonce)
    assert await ended(job) == status
    assert machine.status in (status, status and 128 - status)
    assert ("no such thing" in machine.reason) == (status == 1)


async def test_it_ends_where_it_is_not_wanted(place: Place, disk: Path) -> None:
    """The nonce is unknown; or nothing shall run."""
    assert await ended(await submit(place, disk, "unknown")) == 1
    shutil.rmtree(disk / "agent")
    machine = place.machine()
    assert await ended(await submit(place, disk, machine.invite(60))) == 1
    assert machine.usable


async def test_a_server_that_the_hub_wants_no_more_is_ended(place: Place, disk: Path) -> None:
    machine = place.machine()
    nonce = machine.invite(60)
    machine.offer(offering("import time; time.sleep(1000)"), None)
    job, noted = await submit(place, disk, nonce), disk / "agent/run.json"
    await until(lambda: "pid" in (noted.read_text() if noted.exists() else ""))
    machine.withdraw()
    assert await ended(job) == 128 + signal.SIGTERM


async def test_one_that_the_cloud_cancels_takes_its_server_along(place: Place, disk: Path) -> None:
    machine = place.machine()
    nonce = machine.invite(60)
    machine.offer(offering("print('here', flush=True); import time; time.sleep(1000)"), None)
    job = await submit(place, disk, nonce)
    assert job.stdout
    async with asyncio.timeout(60):
        while b"started the server" not in await job.stdout.readline():
            pass
    job.send_signal(signal.SIGTERM)
    assert await ended(job) == 128 + signal.SIGTERM
    assert list(started_in(disk)) == []


def test_one_that_is_cancelled_as_its_server_starts(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal comes between the start and the agent's watch."""
    settings = {"hub": "http://127.0.0.1:9", "nonce": "n"}
    (disk / "settings.json").write_text(json.dumps(settings))
    offer = asdict(Offer({"HOME": str(disk)}, ["/bin/sleep", "1000"], grace=1))

    class Cancelled(Agent):
        def register(self) -> None:
            """It is known."""

        def boot(self) -> None:
            Server.start(self.state, "run", offer)
            raise SystemExit(143)

    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit):
        run_once(Cancelled(State(disk)))
    assert list(started_in(disk)) == []
