"""A watch of pods: complete, resumed where it was cut, and never given up."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from kubernetes_asyncio import client

from greyhub.kubernetes import watching
from greyhub.kubernetes.requests import Unreachable
from greyhub.kubernetes.watching import Watch
from tests.support.waiting import MINUTE


class Server:
    """The part of an API server that lists and watches pods, with faults on demand."""

    def __init__(self) -> None:
        self.pods: dict[str, int] = {}
        self.version = 1
        self.lists = 0
        self.asked: list[str] = []
        self.broken = 0
        """Requests that are answered by 500."""
        self.sessions: list[asyncio.Queue[dict[str, Any] | None]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.broken:
            self.broken -= 1
            return web.json_response({}, status=500)
        if "watch" in request.query:
            return await self.watch(request)
        self.lists += 1
        limit, start = int(request.query["limit"]), int(request.query.get("continue", 0))
        names = sorted(self.pods)[start : start + limit]
        rest = str(start + limit) if start + limit < len(self.pods) else ""
        meta = {"resourceVersion": str(self.version), "continue": rest}
        return web.json_response(
            {"metadata": meta, "items": [pod(each, self.pods[each]) for each in names]}
        )

    async def watch(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.query["resourceVersion"])
        answer = web.StreamResponse()
        await answer.prepare(request)
        session: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.sessions.append(session)
        while (event := await session.get()) is not None:
            line = json.dumps(event).encode() + b"\n"
            await answer.write(line[:10])  # a line comes in pieces
            await answer.write(line[10:])
        if request.transport:
            request.transport.abort()
        return answer

    def tell(self, kind: str, name: str, **more: Any) -> None:
        self.version += 1
        self.pods[name] = self.version
        self.sessions[-1].put_nowait({"type": kind, "object": pod(name, self.version) | more})

    def cut(self) -> None:
        self.sessions[-1].put_nowait(None)


def pod(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"namespace": "n", "name": name, "resourceVersion": str(version)}}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    application = web.Application()
    application.router.add_get("/api/v1/namespaces/n/pods", made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]  # type: ignore[attr-defined]
    yield made
    for session in made.sessions:
        session.put_nowait(None)
    await runner.cleanup()


@pytest.fixture
async def watch(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watch]:
    monkeypatch.setattr(watching, "LONGEST_PAUSE", 0.2)
    monkeypatch.setattr(watching, "PAGE", 2)
    configuration = client.Configuration(host=f"http://127.0.0.1:{server.port}")  # type: ignore[attr-defined]
    async with client.ApiClient(configuration) as api:
        made = Watch(
            client.CoreV1Api(api).list_namespaced_pod,
            {"namespace": "n", "label_selector": "a=b"},
            logging.getLogger("tests"),
        )
        yield made
        await made.stop()


async def until(ready: Callable[[], object]) -> None:
    async with asyncio.timeout(MINUTE):
        while not ready():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_all_pages_are_listed_and_then_what_changes(server: Server, watch: Watch) -> None:
    server.pods = dict.fromkeys("abcde", 1)
    await watch.load(MINUTE)
    assert set(watch.pods) == {f"n/{name}" for name in "abcde"}
    await until(lambda: server.sessions)
    server.tell("ADDED", "f")
    server.tell("DELETED", "a")
    await until(lambda: "n/f" in watch.pods and "n/a" not in watch.pods)


async def test_a_change_wakes_who_waits(server: Server, watch: Watch) -> None:
    await watch.load(MINUTE)
    await until(lambda: server.sessions)
    waiting = [asyncio.ensure_future(watch.change(f"n/{name}", MINUTE)) for name in "ab"]
    await asyncio.sleep(0)
    server.tell("ADDED", "a")
    assert await asyncio.wait_for(waiting[0], MINUTE)
    assert "n/a" in watch.pods
    assert not await watch.change("n/c", 0.01)
    assert not waiting[1].done()  # it waits for another pod
    server.tell("ADDED", "b")
    await asyncio.wait_for(waiting[1], MINUTE)


async def test_events_are_found_by_the_pod_that_they_are_about(
    server: Server, watch: Watch
) -> None:
    await watch.load(MINUTE)
    await until(lambda: server.sessions)
    for name, about, when in (("2", "a", "09:02"), ("1", "a", "09:01"), ("3", "b", "09:00")):
        about_pod = {"namespace": "n", "name": about}
        server.tell("ADDED", name, involvedObject=about_pod, lastTimestamp=when)
    await until(lambda: watch.about("n/b"))
    assert [each["metadata"]["name"] for each in watch.about("n/a")] == ["1", "2"]
    server.tell("DELETED", "1", involvedObject={"namespace": "n", "name": "a"})
    await until(lambda: len(watch.about("n/a")) == 1)
    assert watch.about("n/nothing") == []


async def test_a_watch_that_was_cut_goes_on_where_it_was(server: Server, watch: Watch) -> None:
    await watch.load(MINUTE)
    await until(lambda: server.sessions)
    server.tell("ADDED", "a")
    await until(lambda: "n/a" in watch.pods)
    server.cut()
    await until(lambda: len(server.sessions) == 2)
    assert server.asked == ["1", "2"]
    assert server.lists == 1
    assert "n/a" in watch.pods


async def test_a_version_that_is_too_old_is_listed_anew(server: Server, watch: Watch) -> None:
    server.pods = {"gone": 1}
    await watch.load(MINUTE)
    await until(lambda: server.sessions)
    server.pods = {"new": 7}
    server.sessions[-1].put_nowait(
        {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
    )
    await until(lambda: set(watch.pods) == {"n/new"})


async def test_an_outage_is_outlasted_and_meanwhile_nothing_is_forgotten(
    server: Server, watch: Watch
) -> None:
    server.pods = {"a": 1}
    await watch.load(MINUTE)
    await until(lambda: server.sessions)
    server.broken = 12
    server.cut()
    await until(lambda: watch.trouble)
    assert "n/a" in watch.pods
    await until(lambda: len(server.sessions) == 2)
    server.tell("ADDED", "b")
    await until(lambda: "n/b" in watch.pods)
    assert not watch.trouble


async def test_before_the_first_list_nothing_is_known(server: Server, watch: Watch) -> None:
    server.pods, server.broken = {"a": 1}, 10**6
    with pytest.raises(Unreachable, match="500"):
        await watch.load(0.3)
    server.broken = 0
    await watch.load(MINUTE)
    assert "n/a" in watch.pods
