"""The rendezvous as it should go, and as it goes where answers are lost and hubs start again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from greyhub.agent.hub import Hub
from greyhub.errors import GreyHubError
from greyhub.rendezvous.offers import MachineFailed, Offer
from greyhub.rendezvous.protocol import BadMessage, Keys, parse
from tests.rendezvous.conftest import NETWORKS, SECRET, Place, offering
from tests.support import waiting


async def test_an_agent_gets_its_environment_and_is_ready(place: Place) -> None:
    machine, agent = place.machine(), place.agent()
    await agent.register(machine.invite())
    assert (await machine.await_registered()).machine == {"hostname": "m"}
    machine.offer(offering(), NETWORKS)
    answer = await agent.boot()
    assert SECRET not in json.dumps(answer)
    offer = json.loads(agent.keys.open(answer["sealed"], answer["run"]))
    assert offer["environment"]["TOKEN"] == SECRET
    assert (await agent.report(answer["run"]))["goes_on"]
    assert await machine.await_ready() == ("10.1.0.5", 8888)


async def test_an_agent_waits_until_there_is_something_to_run(place: Place) -> None:
    machine, agent = place.machine(), place.agent()
    await agent.register(machine.invite())
    asked = asyncio.create_task(agent.boot())
    await until(lambda: machine.idle)
    machine.offer(offering(), NETWORKS)
    assert (await asked)["run"] == machine.run


async def test_an_agent_hears_of_the_end_at_once(place: Place) -> None:
    place.rendezvous.hold = 60
    machine, agent = place.machine(), place.agent()
    run = await started(place, machine, agent)
    held = asyncio.create_task(agent.report(run, wait=True))
    await until(lambda: machine.port)
    machine.withdraw()
    assert not (await held)["goes_on"]
    ended = asyncio.create_task(machine.await_ended())
    place.rendezvous.hold = 0
    assert (await agent.boot(after=run))["run"] == ""
    await ended


async def test_an_agent_that_runs_once_is_answered_at_once(place: Place) -> None:
    place.rendezvous.hold = 60
    machine, agent = place.machine(), place.agent()
    machine.once = True
    await agent.register(machine.invite())
    assert (await asyncio.wait_for(agent.boot(), 30))["run"] == ""


async def test_what_is_being_made_for_an_agent_has_not_ended(place: Place) -> None:
    """It counts as ended when the agent has heard that it gets nothing."""
    machine, agent = place.machine(), place.agent()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def make() -> Offer:
        begun.set()
        await go_on.wait()
        return await offering()()

    machine.once = True
    await agent.register(machine.invite())
    machine.offer(make, NETWORKS)
    asked = asyncio.create_task(agent.boot())
    await begun.wait()
    machine.withdraw()
    ended = asyncio.create_task(machine.await_ended())
    assert not machine.idle
    go_on.set()
    assert (await asked)["run"] == ""
    await asyncio.wait_for(ended, 30)


async def test_an_agent_that_is_distrusted_gets_nothing(place: Place) -> None:
    machine, agent = place.machine(), place.agent()
    await agent.register(machine.invite())
    machine.offer(offering(), NETWORKS)
    machine.distrust("it asked from the moon")
    with pytest.raises(GreyHubError, match="from the moon"):
        await agent.boot()
    with pytest.raises(MachineFailed, match="from the moon"):
        await machine.await_ready()


async def test_an_agent_that_waits_is_answered_by_a_hub_that_starts_again(place: Place) -> None:
    place.rendezvous.hold = 60
    machine, agent = place.machine(), place.agent()
    await agent.register(machine.invite())
    asked = asyncio.create_task(agent.boot())
    await until(lambda: machine.idle)
    machine.offer(offering(), NETWORKS, run="of the hub before")
    assert (await asyncio.wait_for(asked, 30))["run"] == "of the hub before"


async def until(ready: Callable[[], object]) -> None:
    """Wait as `tests.support.waiting`, while the hub goes on."""
    await asyncio.to_thread(waiting.until, ready, every=0.01)


async def started(place: Place, machine, agent) -> str:
    await agent.register(machine.invite())
    machine.offer(offering(), NETWORKS)
    run: str = (await agent.boot())["run"]
    return run


async def test_each_request_may_be_repeated_when_its_answer_was_lost(place: Place) -> None:
    machine, agent = place.machine(), place.agent()
    nonce = machine.invite()
    await agent.register(nonce)
    await agent.register(nonce)
    machine.offer(offering(), NETWORKS)
    first, second = await agent.boot(), await agent.boot()
    assert first["run"] == second["run"] == machine.run
    for _ in range(2):
        assert (await agent.report(machine.run))["goes_on"]
    run = machine.run
    place.rendezvous.hold = 0
    for _ in range(2):
        assert (await agent.boot(after=run, status=3, log="no home"))["run"] == ""
    with pytest.raises(MachineFailed, match=r"status 3\. The end of its log:\nno home"):
        await machine.await_ready()


@pytest.mark.parametrize("when", ["invited", "registered", "offered", "booted", "ready"])
async def test_another_hub_goes_on_where_the_first_was_killed(place: Place, when: str) -> None:
    """All that the second knows is what the first has written down."""
    machine, agent, kept = place.machine(), place.agent(), {}
    machine.keep = lambda: kept.update(machine.state())
    steps = {
        "invited": machine.invite,
        "registered": lambda: agent.register(nonce),
        "offered": lambda: machine.offer(offering(), NETWORKS),
        "booted": agent.boot,
        "ready": lambda: agent.report(machine.run),
    }
    nonce = ""
    for name, step in steps.items():
        done = step()
        done = await done if asyncio.iscoroutine(done) else done
        nonce = nonce or done
        if name == when:
            break
    state = json.loads(json.dumps(kept))
    assert nonce not in json.dumps(state)
    assert SECRET not in json.dumps(state)

    second = Place()
    machine = second.machine()
    machine.load(state)
    agent = second.agent(agent.keys)
    if when == "invited":
        await agent.register(nonce)
    await machine.await_registered()
    machine.offer(offering(), NETWORKS, run=state["run"])
    if when in ("invited", "registered"):
        machine.offer(offering(), NETWORKS)
    if when != "ready":
        run = (await agent.boot())["run"]
        assert (await agent.report(run))["goes_on"]
    assert await machine.await_ready() == ("10.1.0.5", 8888)
    assert (await agent.report(machine.run))["goes_on"]
    second.server.stop()


async def test_a_machine_whose_agent_never_registers_is_said(place: Place) -> None:
    machine = place.machine()
    machine.invite(0.05)
    with pytest.raises(MachineFailed, match=r"did not register in time\n  fix: see the setup"):
        await machine.await_registered()


async def test_a_spawner_that_cannot_make_the_environment_is_asked_again(place: Place) -> None:
    machine, agent = place.machine(), place.agent()
    await agent.register(machine.invite())

    async def fails() -> None:
        raise OSError("the database is away")

    machine.offer(fails, NETWORKS)
    with pytest.raises(GreyHubError, match="503 the hub cannot answer now"):
        await agent.boot()
    machine.offer(offering(), NETWORKS, run=machine.run)
    assert (await agent.boot())["run"] == machine.run


def test_what_was_signed_for_one_thing_is_good_for_no_other() -> None:
    fields = {"after": "", "status": 0, "log": "", "run": "", "host": "", "port": 0, "wait": True}
    signed = Keys.make().request("boot", "", fields)
    assert parse("boot", signed).is_signed()
    with pytest.raises(BadMessage, match="signed for something else"):
        parse("report", signed)


def test_sealed_for_one_agent_and_one_run() -> None:
    keys = Keys.make()
    sealed = keys.public.seal(b"text", "run")
    assert Keys.loads(keys.dumps()).open(sealed, "run") == b"text"
    for reader, context in ((Keys.make(), "run"), (keys, "another run")):
        with pytest.raises(BadMessage):
            reader.open(sealed, context)
    with pytest.raises(BadMessage):
        keys.open(sealed[:-8] + "AAAAAAA=", "run")


@pytest.mark.parametrize("url", ["http://hub.example.org/hub/", "ftp://127.0.0.1/", "hub"])
def test_nothing_is_sent_without_tls(url: str) -> None:
    with pytest.raises(GreyHubError, match="does not begin with https"):
        Hub(url, Keys.make())
