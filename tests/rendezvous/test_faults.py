"""The agent while its hub is away, busy, a later one, or another: the server comes and stays."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from greyhub.agent.hub import NotAnswered
from greyhub.conformance.testkit.certificates import Authority
from greyhub.rendezvous.offers import Offer
from greyhub.rendezvous.service import Answer, Rendezvous
from tests.rendezvous.conftest import Place
from tests.rendezvous.machines import LocalMachine
from tests.rendezvous.test_agent import NETWORKS, local, marked, offering, ready, servers, start
from tests.rendezvous.test_protocol import until

__all__ = ["local"]

pytestmark = pytest.mark.processes

BUSY = [(429, b"{}"), (503, b'{"error": "the hub cannot answer now"}'), (502, b"<html>")]
"""What a hub answers that has no time, and a proxy whose hub is away."""

NO_HUB = [b"", b"<html>", b"5", b"null", b'["challenge"]', b"[" * 10_000, b"{}"]
"""What others answer, such as a network that asks for a login."""


async def ends(machine: Any, disk: LocalMachine) -> None:
    """The agent hears of the hub, which wants the server no more."""
    machine.withdraw()
    await until(lambda: not marked(disk))
    async with asyncio.timeout(60):
        await machine.await_ended()


@pytest.mark.parametrize("what", ["register", "boot", "report"])
async def test_a_busy_hub_is_asked_again(place: Place, local, what: str) -> None:
    place.instead[what] = BUSY[:2] if what == "register" else list(BUSY)
    machine = await start(place, local)
    await until(lambda: not place.instead[what])
    await ready(machine)
    assert len(servers(local)) == 1
    await ends(machine, local)


@pytest.mark.parametrize("body", NO_HUB, ids=range(len(NO_HUB)))
async def test_what_is_no_hub_has_not_answered(place: Place, body: bytes) -> None:
    place.instead["boot"] = [(200, body)]
    with pytest.raises(NotAnswered, match="not a hub with a rendezvous"):
        await place.agent().boot()


@pytest.mark.slow
async def test_the_server_goes_on_while_its_hub_is_away(place: Place, local) -> None:
    machine = await start(place, local)
    await ready(machine)
    [server] = servers(local)
    await place.leave()
    await until(lambda: local.log().count("does not answer") > 3)
    place.come_back()
    assert servers(local) == [server]
    await ends(machine, local)


@dataclass(frozen=True)
class LaterOffer(Offer):
    """What a hub offers that knows more than the agent."""

    colour: str = "blue"


class Later(Rendezvous):
    """A hub that knows more than the agent."""

    async def answer(self, what: str, raw: bytes, remote: str) -> Answer:
        given = await super().answer(what, raw, remote)
        return replace(given, fields={**given.fields, "colour": "blue"})


async def test_its_hub_becomes_a_later_one(place: Place, local) -> None:
    """It knows what the first has written down, offers more, and gives other challenges."""
    machine = await start(place, local)
    kept: dict[str, Any] = {}
    machine.keep = lambda: kept.update(machine.state())
    await ready(machine)
    await until(lambda: kept.get("port"))
    [server] = servers(local)
    place.rendezvous = Later(hold=1)
    again = place.machine()
    again.load(json.loads(json.dumps(kept)))
    make: Callable[[], Any] = offering()

    async def more() -> Offer:
        return LaterOffer(**vars(await make()))

    again.offer(more, NETWORKS, run=kept["run"])
    await until(lambda: again.seen)
    assert servers(local) == [server]
    again.offer(more, NETWORKS)
    await ready(again)
    [other] = servers(local)
    assert other != server
    await ends(again, local)


@pytest.mark.slow
async def test_a_certificate_is_renewed_by_others(local) -> None:
    """Nothing is told to a hub for which nobody vouches; the server goes on until one is there."""
    made = {name: Path(local.directory.parent, name) for name in ("first", "strange", "next")}
    for each in made.values():
        each.mkdir()
    first, strange, after = (Authority(each) for each in made.values())
    known = first.ca.read_text() + after.ca.read_text()
    place = Place(first.serving())
    machine = await start(place, local, authorities=known)
    await ready(machine)
    [server] = servers(local)
    await place.leave()
    place.come_back(strange.serving())
    await until(lambda: local.log().count("CERTIFICATE_VERIFY_FAILED") > 1)
    await place.leave()
    place.come_back(after.serving())
    assert servers(local) == [server]
    await ends(machine, local)
    await place.leave()


@pytest.mark.parametrize("years", [pytest.param(-20, marks=pytest.mark.slow), pytest.param(20)])
async def test_a_machine_may_have_the_wrong_time(place: Place, local, years: int) -> None:
    code = (
        "import runpy, sys, time; right = time.time; "
        f"time.time = lambda: right() + {years} * 365 * 86400; "
        "sys.argv[:] = ['greyhub.agent', sys.argv[-1]]; "
        "runpy.run_module('greyhub.agent', run_name='__main__')"
    )
    python = local.directory.parent / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    python.chmod(0o755)
    machine = await start(place, local, python=str(python))
    await ready(machine)
    assert len(servers(local)) == 1
    await ends(machine, local)
