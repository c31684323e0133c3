"""SPAWNER-044 to 047: progress()."""

from __future__ import annotations

import asyncio
import inspect
import time
from concurrent.futures import Future
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.spawner.case import SpawnerCase
from greyhub.conformance.spawner.server import Server


def consume(case: SpawnerCase, server: Server, found: list[Any] | None = None) -> Future[list[Any]]:
    """Read a server's progress to its end, as the hub's handler does."""
    spawner = server.spawner
    events = [] if found is None else found

    async def read() -> list[Any]:
        async for event in spawner.progress():
            events.append(event)
        return events

    case.did(f"{server}: progress()")
    return server.hub.submit(read)


def start(case: SpawnerCase, server: Server) -> list[Any]:
    """Start a server through the hub's API; the events of its progress."""
    case.did(f"POST /users/{server.user}/server")
    server.hub.api("POST", f"/users/{server.user}/server")
    events = consume(case, server)
    case.until(lambda: not server.pending, 15, "the start did not end")
    return ended(case, events)


def ended(case: SpawnerCase, events: Future[list[Any]]) -> list[Any]:
    """The events, once the stream has ended by itself."""
    try:
        return events.result(3 * case.patience)
    except TimeoutError:
        events.cancel()
        case.fail("progress() did not end when the start had")


@clause("SPAWNER-044", MUST, needs="progress")
def progress_is_a_stream_for_each(case: SpawnerCase) -> None:
    """progress() is an async generator of dicts with a message, and a progress of 0 to 100.

    Two consumers of one start each get the full stream.

    Seen: kubespawner#153 https://github.com/jupyterhub/kubespawner/pull/153
    """
    server = case.server(case.hub())
    server.hub.api("POST", f"/users/{server.user}/server")
    made = server.hub.run(lambda: server.make().progress())
    case.require(inspect.isasyncgen(made), f"progress() is a {type(made).__name__}")
    both = [consume(case, server), consume(case, server)]
    case.until(lambda: not server.pending, 15, "the start did not end")
    first, second = (ended(case, each) for each in both)
    case.said(f"progress: {first}")
    case.require(first, "progress() told nothing of a start")
    for event in first:
        case.require(isinstance(event, dict), f"an event is a {type(event).__name__}, not a dict")
        message = event.get("message", event.get("html_message"))
        case.require(isinstance(message, str), f"an event has no message: {event}")
        number = event.get("progress", 0)
        case.require(
            isinstance(number, int | float) and 0 <= number <= 100,
            f"an event's progress is {number!r}, not within 0 and 100",
        )
    case.require(first == second, f"two consumers got different events: {first} and {second}")


@clause("SPAWNER-045", MUST, needs="progress", hooks="alive")
def progress_ends(case: SpawnerCase) -> None:
    """progress() ends when the start is no longer pending, and aclose() ends it within 1 s.

    It ends after a start that succeeds, and after one that fails.

    Seen: batchspawner#215 https://github.com/jupyterhub/batchspawner/issues/215
    """
    hub = case.hub(spawner={"http_timeout": 1, "start_timeout": 2})
    good = case.server(hub, case.user)
    start(case, good)
    good.stop()
    failing = case.server(hub, case.user + "b")
    failing.tell("mute")
    hub.api("POST", f"/users/{failing.user}/server")
    spawner = failing.spawner

    async def close(number: int) -> None:
        stream = spawner.progress()
        for _ in range(number):
            await asyncio.wait_for(anext(stream), 2 * case.patience)
        try:
            began = time.monotonic()
            await asyncio.wait_for(stream.aclose(), 5 * case.patience)
        except TimeoutError:
            case.fail("aclose() of progress() did not return")
        case.within(time.monotonic() - began, 1, "aclose() of progress() took")

    numbers = [1]
    if case.claims("backend_events") and case.suite.has("announce"):
        case.until(case.alive, 5, "no server came into being")
        case.hook("announce", case.alive()[0], "conformance")
        numbers.append(2)
    for number in numbers:
        with suppress(StopAsyncIteration, TimeoutError):
            hub.run(close, number, timeout=8 * case.patience)
    events = consume(case, failing)
    case.until(lambda: not failing.pending, 10, "the start did not end")
    ended(case, events)


@clause("SPAWNER-046", MUST, needs="progress")
def progress_is_of_this_start(case: SpawnerCase) -> None:
    """progress() tells no events of earlier starts.

    The second start of the same server tells as much as the first, not both; and one
    after a start that has failed begins as often as one after none.

    Seen: kubespawner#184 https://github.com/jupyterhub/kubespawner/issues/184
    """
    server = case.server(case.hub(spawner={"http_timeout": 2}))
    first = start(case, server)
    server.stop()
    second = start(case, server)
    case.said(f"first {first}, second {second}")
    doubled = len(second) > len(first) and second[: len(first)] == first
    if first and second and first[0] != first[-1]:
        doubled |= second[0] == first[-1]
    case.require(not doubled, "the second start tells the events of the first again")
    begins = [each[0].get("progress", 0) for each in (first, second) if each]
    case.require(
        len(begins) < 2 or begins[1] <= begins[0],
        "the second start begins where the first had ended",
    )
    server.stop()
    server.tell("dead")
    start(case, server)
    server.tell("")
    third = start(case, server)
    case.said(f"after a start that failed: {third}")
    case.require(
        not second or third.count(second[0]) <= second.count(second[0]),
        "the start tells the events of the one that had failed before it",
    )


@clause("SPAWNER-047", MUST, needs="progress backend_events", hooks="alive announce")
def the_backend_s_texts_are_escaped(case: SpawnerCase) -> None:
    """html_message escapes everything that came from the backend."""
    server = case.server(case.hub(spawner={"start_timeout": 5}))
    server.tell("mute")
    server.hub.api("POST", f"/users/{server.user}/server")
    found: list[Any] = []
    events = consume(case, server, found)
    case.until(case.alive, 5, "no server came into being")
    text = "<script>alert('conformance')</script><img src=conformance>"
    text += """ ' onclick='conformance' " onclick="conformance" """
    case.hook("announce", case.alive()[0], text)

    def heard() -> list[Any]:
        return [event for event in found if "conformance" in str(event)]

    case.until(lambda: heard() or not server.pending, 10, "the start did not end")
    events.cancel()
    case.said(f"progress: {found}")
    case.require(heard(), "progress() did not tell what the backend said")
    for event in heard():
        html = event.get("html_message", "")
        told = "<script" not in html and "<img" not in html and not Clicks.within(html)
        case.require(told, f"html_message holds the backend's HTML: {html}")


class Clicks(HTMLParser):
    """Finds an attribute that came out of a text."""

    found = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """A tag of the adapter's own."""
        self.found |= "onclick" in dict(attributes)

    @classmethod
    def within(cls, text: str) -> bool:
        """Whether one is in some HTML."""
        parser = cls()
        parser.feed(text)
        return parser.found
