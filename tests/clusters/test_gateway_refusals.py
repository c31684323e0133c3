"""What a notebook is told where a gateway refuses a cluster, fails, waits or is away."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from greyhub.clusters import gateway_cluster, gateway_connect, left_behind
from greyhub.errors import ClusterError
from tests.support.ports import free_port

REASON = "image pull failed\n  scheduler: last line of its log"


class Stub:
    """Answers as a gateway whose clusters do not run: what it was asked, and what it says."""

    def __init__(self) -> None:
        self.status, self.reason = "PENDING", ""
        self.answers = asyncio.Event()
        self.answers.set()
        self.refusals: list[web.HTTPException] = []
        self.asked: list[dict[str, Any]] = []
        self.ended: list[str] = []
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/v1/clusters/", self.create),
                web.get("/api/v1/clusters/{name}", self.report),
                web.get("/api/v1/clusters/{name}/reason", self.why),
                web.delete("/api/v1/clusters/{name}", self.end),
            ]
        )
        self.server = TestServer(app)

    async def create(self, request: web.Request) -> web.Response:
        self.asked.append((await request.json())["cluster_options"])
        await self.answers.wait()
        if self.refusals:
            refusal = self.refusals.pop(0)
            return web.json_response({"error": refusal.reason}, status=refusal.status)
        return web.json_response({"name": "c1"}, status=201)

    async def report(self, request: web.Request) -> web.Response:
        nothing = dict.fromkeys(("dashboard_route", "stop_time", "tls_cert", "tls_key"))
        told = {"name": "c1", "status": self.status, "start_time": 0, "options": {}, **nothing}
        return web.json_response(told)

    async def why(self, request: web.Request) -> web.Response:
        return web.json_response({"reason": self.reason})

    async def end(self, request: web.Request) -> web.Response:
        self.ended.append(request.match_info["name"])
        return web.Response(status=204)


@pytest_asyncio.fixture
async def stub() -> AsyncIterator[Stub]:
    found = Stub()
    await found.server.start_server()
    yield found
    await found.server.close()


async def refused(stub: Stub, *, broker: bool = True, address: str = "", **options: Any) -> str:
    """What the error of a start says."""
    ticket = {
        "address": address or str(stub.server.make_url("")),
        "proxy_address": "",
        "public_address": "/services/clusters",
        "auth": "dask_gateway.auth.GatewayAuth",
        "broker": broker,
        "options": {"worker_cores": 2},
    }
    made: Any = gateway_connect.connect(ticket, 1, {"asynchronous": True, **options})
    with pytest.raises(ClusterError) as error:
        await made
    assert made.status == "closed"
    return str(error.value)


async def test_a_refusal_is_said_in_the_gateways_words(stub: Stub) -> None:
    stub.refusals = [web.HTTPUnprocessableEntity(reason="ada has 2 clusters, the most there are")]
    assert await refused(stub) == "ada has 2 clusters, the most there are"
    assert stub.ended == []


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (web.HTTPForbidden(), "does not accept this user's token"),
        (web.HTTPInternalServerError(reason="boom"), "failed: boom"),
        (web.HTTPServiceUnavailable(), "does not answer"),
    ],
)
async def test_a_gateway_that_fails_is_named(
    refusal: web.HTTPException, said: str, stub: Stub
) -> None:
    stub.refusals = [refusal]
    told = await refused(stub, broker=False)
    assert said in told
    assert "http://127.0.0.1:" in told
    assert "fix: " in told


async def test_a_gateway_that_is_away_is_named(stub: Stub) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    told = await refused(stub, broker=False, address=address)
    assert f"the dask-gateway at {address} does not answer" in told


async def test_a_failed_start_says_why_and_is_ended(stub: Stub) -> None:
    stub.status, stub.reason = "FAILED", REASON
    assert await refused(stub) == f"the cluster c1 failed to start: {REASON}"
    assert stub.ended == ["c1"]


async def test_where_a_gateway_does_not_say_why_it_is_said_where_to_look(stub: Stub) -> None:
    stub.status = "FAILED"
    told = await refused(stub, broker=False)
    assert "the gateway does not say why" in told
    assert "in its log, by the name c1" in told


async def test_a_start_is_bounded_and_says_what_it_waits_for(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gateway_cluster, "NOTICE", 0.1)
    stub.reason = "no node has room for it"
    told = await refused(stub, start_timeout="500 ms")
    assert "c1 did not start within 0.5 seconds (start_timeout): no node has room for it" in told
    said = capsys.readouterr().err
    assert said.count("c1 does not run yet: no node has room for it; waiting up to 0.5 s") == 1
    assert stub.ended == ["c1"]


async def test_a_broker_that_restarts_is_asked_again_for_the_same_cluster(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVER_NAME", "second")
    stub.refusals, stub.status = [web.HTTPServiceUnavailable()], "FAILED"
    await refused(stub, worker_memory=4)
    first, second = stub.asked
    assert first == second
    assert first.pop("key")
    assert first == {
        "python": sys.executable,
        "server": "second",
        "worker_cores": 2,
        "worker_memory": 4,
    }


async def test_another_gateway_is_told_the_options_alone(stub: Stub) -> None:
    stub.status = "STOPPED"
    assert "the cluster c1 has ended" in await refused(stub, broker=False)
    assert stub.asked == [{"worker_cores": 2}]


async def test_a_cluster_that_is_cancelled_as_it_starts_is_ended(stub: Stub) -> None:
    stub.answers.clear()
    starting = asyncio.ensure_future(refused(stub))
    while not stub.asked:  # noqa: ASYNC110 - the stub runs in this loop
        await asyncio.sleep(0.01)
    starting.cancel()
    await asyncio.sleep(0)
    stub.answers.set()  # the name comes when nobody asks for it any more
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert stub.ended == ["c1"]
    assert await left_behind.end_all() == []


@pytest.mark.parametrize("option", [{"packages": "maybe"}, {"workers": 1.5}])
def test_options_that_cannot_be_are_refused_at_once(option: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        gateway_cluster.BrokerCluster(address="http://127.0.0.1:9", **option)
