"""What others may try: nothing is given to them, and the administrator reads of it."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from greyhub.agent.hub import NotAnswered, NotGiven
from greyhub.rendezvous import handlers
from greyhub.rendezvous.offers import MachineFailed
from greyhub.rendezvous.protocol import LIMIT, PATH
from tests.rendezvous.conftest import NETWORKS, SECRET, Place, offering
from tests.rendezvous.test_protocol import started, until


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


async def test_a_nonce_that_is_used_twice_is_good_for_neither(place: Place, log) -> None:
    """Others can read the script. Who was first is not known to be the right one."""
    machine, first, second = place.machine(), place.agent(), place.agent()
    nonce = machine.invite()
    await first.register(nonce)
    machine.offer(offering(), NETWORKS)
    run = (await first.boot())["run"]
    waiting = asyncio.create_task(machine.await_ready())
    with pytest.raises(NotGiven, match="409 this nonce has been used by another agent"):
        await second.register(nonce)
    with pytest.raises(MachineFailed, match="somebody has read it"):
        await waiting
    assert machine.over
    assert not machine.usable
    assert "it is an attack" in log.text
    for agent in (first, second):
        with pytest.raises(NotGiven, match=r"409|403"):
            await agent.boot()
    assert not (await first.report(run))["goes_on"]


async def test_a_nonce_that_is_used_again_long_after_harms_nobody(place: Place, log) -> None:
    machine, agent = place.machine(), place.agent()
    nonce = machine.invite()
    await agent.register(nonce)
    machine.offer(offering(), NETWORKS)
    machine.until = 0
    with pytest.raises(NotGiven, match="used by another agent"):
        await place.agent().register(nonce)
    assert "it is an attack" in log.text
    assert (await agent.boot())["run"]


async def test_a_nonce_that_comes_late_is_refused(place: Place, log) -> None:
    machine = place.machine()
    nonce = machine.invite(0)
    with pytest.raises(NotGiven, match="came too late"):
        await place.agent().register(nonce)
    assert machine.keys is None
    assert "it is an attack" in log.text


async def test_a_guessed_nonce_is_refused(place: Place, log) -> None:
    machine = place.machine()
    machine.invite()
    for nonce in ("", "a" * 43, machine.invitation):
        with pytest.raises(NotGiven, match="403 register: this hub knows neither key nor nonce"):
            await place.agent().register(nonce)
    assert machine.keys is None
    assert "from 127.0.0.1" in log.text


async def test_guesses_are_few(place: Place) -> None:
    place.rendezvous.strangers.number = 5
    place.rendezvous.strangers.period = 1e9
    agent = place.agent()
    for _ in range(5):
        with pytest.raises(NotGiven):
            await agent.register("guess")
    with pytest.raises(NotAnswered, match="429"):
        await agent.register("guess")
    machine = place.machine()
    await agent.register(machine.invite())  # who has a right to ask is not kept out


async def test_an_agent_may_ask_only_so_often(place: Place) -> None:
    place.rendezvous.agents.number = 3
    place.rendezvous.agents.period = 1e9
    agent = place.agent()
    nonce = place.machine().invite()
    for _ in range(2):  # each of which asks for a challenge, too
        await agent.register(nonce)
    with pytest.raises(NotAnswered, match="429"):
        await agent.register(nonce)


async def test_the_nonce_of_another_user_gives_that_users_place_to_nobody(place: Place) -> None:
    """An agent of ben's machine shows ada's nonce: it does not become ada's, and stays ben's."""
    ada, ben, agent = place.machine(), place.machine("ben"), place.agent()
    nonce = ada.invite()
    await agent.register(ben.invite())
    with pytest.raises(NotGiven, match="403"):
        await agent.register(nonce)
    assert ada.keys is None
    ada.offer(offering(WHOSE="ada"), NETWORKS)
    ben.offer(offering(WHOSE="ben"), NETWORKS)
    answer = await agent.boot()
    assert b'"WHOSE": "ben"' in agent.keys.open(answer["sealed"], answer["run"])


async def test_an_agent_of_another_machine_gets_nothing(place: Place) -> None:
    ada, ben = place.machine(), place.machine("ben")
    agent, other = place.agent(), place.agent()
    run = await started(place, ada, agent)
    await other.register(ben.invite())
    place.rendezvous.hold = 0
    assert (await other.boot())["run"] == ""
    assert not (await other.report(run, port=9999))["goes_on"]
    assert (await other.boot(after=run, status=1))["run"] == ""
    assert ada.port == 0
    assert not ada.over
    assert (await agent.report(run))["goes_on"]


async def test_what_was_recorded_cannot_be_sent_again(place: Place) -> None:
    """Whoever reads along where TLS ends can send what was sent: nothing comes of it."""
    machine, agent, sent = place.machine(), place.agent(), []
    post = agent.hub._post

    def recording(what: str, body: bytes):
        sent.append((what, body))
        return post(what, body)

    agent.hub._post = recording  # type: ignore[method-assign]
    run = await started(place, machine, agent)
    await agent.report(run)
    place.rendezvous.hold = 0
    await agent.boot(after=run, status=1)
    machine.offer(offering(), NETWORKS)
    assert {what for what, _ in sent} == {"register", "boot", "report"}
    for what, body in sent:
        assert SECRET.encode() not in body
        status, answer = await asyncio.to_thread(post, what, body)
        assert status == 401
        assert "sealed" not in answer
        # Nor may it be sent as something else.
        for other in {"register", "boot", "report"} - {what}:
            assert (await asyncio.to_thread(post, other, body))[0] == 400
    assert not machine.over
    assert machine.port == 0


async def test_a_request_that_was_changed_on_its_way_is_refused(place: Place, log) -> None:
    machine, agent = place.machine(), place.agent()
    run = await started(place, machine, agent)
    message = json.loads(agent.keys.request("report", "", {"run": run}))
    fields = {"what": "report", "challenge": "", "run": run, "host": "10.1.0.9", "port": 8888}
    message["body"] = json.dumps({**fields, "wait": False})
    status, _ = await asyncio.to_thread(agent.hub._post, "report", json.dumps(message).encode())
    assert status == 403
    assert "the signature is wrong" in log.text


async def test_the_key_of_a_deleted_server_opens_nothing(place: Place) -> None:
    machine, agent = place.machine(), place.agent()
    run = await started(place, machine, agent)
    place.rendezvous.hold = 60
    held = asyncio.create_task(agent.report(run, wait=True))
    await until(lambda: machine.port)
    place.rendezvous.forget("ada", "")
    assert not (await asyncio.wait_for(held, 30))["goes_on"]
    assert not place.rendezvous.machines
    place.machine().offer(offering(), NETWORKS)
    for asked in (agent.boot(), agent.report(run)):
        with pytest.raises(NotGiven, match="403"):
            await asked


async def test_nothing_is_given_while_no_server_runs_or_starts(place: Place) -> None:
    machine, agent = place.machine(), place.agent()
    await started(place, machine, agent)
    machine.withdraw()
    place.rendezvous.hold = 0
    assert await agent.boot() == {"run": "", "challenge": agent.hub._challenge}


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("169.254.169.254", 8080),
        ("127.0.0.1", 8081),
        ("10.2.0.1", 8888),
        ("::1", 8888),
        ("hub.example.org", 8888),
        ("", 8888),
        ("10.1.0.5", 22),
    ],
)
async def test_the_proxy_is_led_to_no_other_address(place: Place, host: str, port: int) -> None:
    """The agent is the user's. What it names, the hub's proxy would connect to."""
    machine, agent = place.machine(), place.agent()
    run = await started(place, machine, agent)
    with pytest.raises(NotGiven, match=r"which is not in 10\.1\.0\.0/16"):
        await agent.report(run, host, port)
    with pytest.raises(MachineFailed, match="add its network to the spawner's option"):
        await machine.await_ready()
    assert machine.port == 0
    assert not (await agent.report(run))["goes_on"]


def bad_messages() -> list[bytes]:
    outer = {"key": "0" * 64, "body": "{}", "signature": "0" * 128}
    return [
        b"",
        b"\xff\xfe",
        b"[" * 10_000,
        b"null",
        b"{}",
        json.dumps(outer).encode(),
        json.dumps({**outer, "key": "z" * 64}).encode(),
        json.dumps({**outer, "key": 5}).encode(),
        json.dumps({**outer, "body": json.dumps({"what": "boot", "challenge": {}})}).encode(),
    ]


@pytest.mark.parametrize("body", bad_messages(), ids=range(9))
async def test_what_is_no_message_is_refused(place: Place, body: bytes) -> None:
    status, answer = await asyncio.to_thread(place.agent().hub._post, "boot", body)
    assert status == 400
    assert set(answer) == {"error"}


async def send(place: Place, head: str, *parts: bytes) -> bytes:
    """Speak HTTP by hand; what came until the hub closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(f"POST /hub/{PATH}/boot HTTP/1.1\r\nHost: hub\r\n{head}\r\n\r\n".encode())
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_body_that_is_too_large_is_not_read(place: Place) -> None:
    answer = await send(place, f"Content-Length: {LIMIT + 1}\r\nConnection: close")
    assert answer.startswith(b"HTTP/1.1 413")
    part = b"%x\r\n%s\r\n" % (LIMIT // 2, b" " * (LIMIT // 2))
    answer = await send(place, "Transfer-Encoding: chunked", part, part, part, b"0\r\n\r\n")
    assert not answer.startswith(b"HTTP/1.1 200")


async def test_a_body_that_does_not_come_is_not_waited_for(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(handlers, "SLOWEST", 0.2)
    assert await send(place, "Content-Length: 100", b"{") == b""
