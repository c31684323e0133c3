"""A small API server: it keeps pods, Secrets and what else is made, and tells watches of changes.

It is for faults that a real one does not have on demand. It checks nothing: what is valid is
for `kubernetes_validate` and a real cluster to say.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from kubernetes_asyncio import client

Object = dict[str, Any]
Hook = Callable[[str, str], str | None]
"""What to do with a request, by method and path: ``before`` or ``after`` it is done, never to
answer it; ``hold`` it until `ApiServer.released`; a status to answer instead; or None."""


class ApiServer:
    """The objects of one namespace, ``n``, by kind and name."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Object]] = {}
        self.requests: list[tuple[str, str]] = []
        self.hook: Hook = lambda method, path: None
        self.stuck: set[str] = set()
        """The names of pods that do not end."""
        self.logs: dict[str, str] = {}
        self.released = asyncio.Event()
        self.url = ""
        self._events: list[tuple[str, Object]] = []
        self._news = asyncio.Event()

    def names(self, kind: str) -> list[str]:
        """What there is of a kind."""
        return sorted(self.objects.get(kind, {}))

    def put(self, kind: str, thing: Object) -> Object:
        """Make or change an object; watches hear of it."""
        known = self.objects.setdefault(kind, {})
        name, number = thing["metadata"]["name"], str(len(self._events) + 1)
        about = {"namespace": "n", "uid": number, **thing["metadata"], "resourceVersion": number}
        made = known[name] = {"status": {"phase": "Pending"}, **thing, "metadata": about}
        self._tell(kind, "MODIFIED", made)
        return made

    def status(self, pod: str, **status: Any) -> None:
        """Change the status of a pod."""
        self.put("pods", self.objects["pods"][pod] | {"status": status})

    def remove(self, kind: str, name: str) -> None:
        """Delete an object, unless it is stuck."""
        if name in self.stuck:
            thing = self.objects[kind][name]
            thing["metadata"]["deletionTimestamp"] = "2026-11-30T00:00:00Z"
            self.put(kind, thing)
        else:
            self._tell(kind, "DELETED", self.objects[kind].pop(name))

    def _tell(self, kind: str, what: str, thing: Object) -> None:
        version = {"resourceVersion": str(len(self._events) + 1)}
        thing = thing | {"metadata": thing["metadata"] | version}
        self._events.append((kind, {"type": what, "object": thing}))
        self._news.set()
        self._news = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        method, path = request.method, request.path_qs
        self.requests.append((method, path))
        action = self.hook(method, path)
        if action and action.isdigit():
            return _error(int(action))
        if action == "before":
            await asyncio.Event().wait()
        if action == "hold":
            await self.released.wait()
        reply = await self._do(request)
        if action == "after":
            await asyncio.Event().wait()
        return reply

    async def _do(self, request: web.Request) -> web.StreamResponse:
        _, _, _, _, _, kind, *rest = request.path.split("/")
        known = self.objects.setdefault(kind, {})
        found = [each for each in known.values() if _matches(each, request.query)]
        if request.query.get("watch"):
            return await self._watch(kind, request)
        if rest[1:] == ["log"]:
            return web.Response(text=self.logs.get(rest[0], ""))
        name = rest[0] if rest else ""
        if request.method == "POST":
            thing = await request.json()
            if thing["metadata"]["name"] in known:
                return _error(409)
            return web.json_response(self.put(kind, thing), status=201)
        if name and name not in known:
            return _error(404)
        if request.method == "PUT":
            thing = await request.json()
            thing["metadata"]["uid"] = known[name]["metadata"]["uid"]
            return web.json_response(self.put(kind, thing))
        if request.method == "DELETE":
            for each in [name] if name else [each["metadata"]["name"] for each in found]:
                self.remove(kind, each)
            return web.json_response({"kind": "Status"})
        if name:
            return web.json_response(known[name])
        about = {"resourceVersion": str(len(self._events))}
        return web.json_response({"metadata": about, "items": found})

    async def _watch(self, kind: str, request: web.Request) -> web.StreamResponse:
        """What has happened since the version that is named, and what happens from now on."""
        answer, done = web.StreamResponse(), int(request.query["resourceVersion"])
        await answer.prepare(request)
        while True:
            if done == len(self._events):
                await self._news.wait()
            of, event = self._events[done]
            done += 1
            if of == kind and _matches(event["object"], request.query):
                await answer.write(json.dumps(event).encode() + b"\n")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ApiServer]:
        """Listen on this machine while a block lasts."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        """A client of it."""
        async with client.ApiClient(client.Configuration(host=self.url)) as api:
            yield api


def _error(status: int) -> web.Response:
    return web.json_response({"message": f"no: {status}", "code": status}, status=status)


def _matches(thing: Object, query: Mapping[str, str]) -> bool:
    labels = thing["metadata"].get("labels") or {}
    selector = query.get("labelSelector", "")
    if " notin (" in selector:
        selector, _, names = selector.partition(" notin (")
        selector, _, key = selector.rpartition(",")
        if labels.get(key) in names.rstrip(")").split(","):
            return False
    for term in filter(None, selector.split(",")):
        name, equals, value = term.partition("=")
        if name.startswith("!"):
            if name[1:] in labels:
                return False
        elif name not in labels or (equals and labels[name] != value):
            return False
    about = thing.get("involvedObject")
    field = query.get("fieldSelector", "").rpartition("involvedObject.name=")[2]
    return not about or not field or about["name"] == field
