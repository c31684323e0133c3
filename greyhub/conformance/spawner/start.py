"""SPAWNER-001 to 004 and 009 to 011: start()."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import nullcontext
from urllib.parse import urlsplit

from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.spawner.case import SpawnerCase
from greyhub.conformance.spawner.server import unawaited
from greyhub.conformance.testkit.audit import outside
from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.loop_lag import Blocked

HOLD = 0.15
"""Seconds for which an adapter may hold the event loop."""


@clause("SPAWNER-001", MUST)
def construction_does_no_io(case: SpawnerCase) -> None:
    """Construction, load_state() and clear_state() do no I/O.

    Python's own audit events tell of every connection and process that is begun in
    the hub's thread meanwhile and just after; where there is an endpoint, no thread
    and no task may reach it either. A hub makes a spawner for each user as it starts.
    """
    server = case.started(case.hub())
    state = server.do("get_state")
    before = len(case.proxy.requests) if case.proxy else 0

    async def make() -> list[str]:
        with outside() as seen:
            for known in (dict[str, object](), state):
                spawner = server.fresh()
                spawner.load_state(known)
                spawner.clear_state()
            # Time for what it has left to a task or a thread.
            await asyncio.sleep(0.1)
        return seen

    case.did(f"made a spawner, load_state({state}), clear_state()")
    seen = server.hub.run(make)
    if case.proxy:
        seen += [f"{each.method} {each.path}" for each in case.proxy.requests[before:]]
    case.require(not seen, f"it reached out: {', '.join(seen[:3])}")


@clause("SPAWNER-002", MUST)
def start_returns_an_address(case: SpawnerCase) -> None:
    """start() is awaitable and returns http(s)://host:port or (ip, port), never None.

    Seen: kubespawner#82 https://github.com/jupyterhub/kubespawner/issues/82
    """
    server = case.server(case.hub())
    start = server.starting()
    case.until(lambda: start.done() or case.answered("start"), 10, "start() did not return")
    value = case.answer("start").value
    if isinstance(value, str):
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    else:
        good = (
            isinstance(value, tuple)
            and len(value) == 2
            and isinstance(value[0], str)
            and type(value[1]) is int
            and 0 < value[1] < 65536
        )
    case.require(good, f"start() returned {value!r}{unawaited('start', value)}")


@clause("SPAWNER-003", MUST)
def the_address_answers(case: SpawnerCase) -> None:
    """The returned address answers GET {base_url}api with less than 500, in time.

    Seen: batchspawner#236 https://github.com/jupyterhub/batchspawner/issues/236
    """
    server = case.started(case.hub())
    status = case.get(f"{server.url}api")
    case.require(status < 500, f"the address answered {status}")


@clause("SPAWNER-004", SHOULD)
def start_does_not_wait_for_http(case: SpawnerCase) -> None:
    """start() returns when the location is known; it does not itself wait for HTTP.

    The server listens at once and answers nothing for long: the hub waits for that,
    with a timeout of its own.
    """
    server = case.server(case.hub())
    server.tell("slow", PROBE_SLOW=str(20 * case.patience))
    start = server.starting()
    case.until(
        lambda: start.done() or case.answered("start"),
        6,
        "start() waits for an answer, which is for the hub to do: it did not return",
    )
    case.answer("start")


@clause("SPAWNER-009", MUST)
def the_event_loop_goes_on(case: SpawnerCase) -> None:
    """start(), poll(), stop() and progress() never hold the event loop for over 150 ms.

    A clock outside the loop sees how long it does not turn, and only counts what
    is held in the adapter's code. The best of three rounds counts. Where the backend
    can fail, poll() and stop() must not wait for it in the loop either.

    Seen: sync SDK calls that freeze every user of the Hub
    """
    hub = case.hub()

    async def progress() -> None:
        async for _ in server.make().progress():
            await asyncio.sleep(0)

    def life() -> None:
        start = server.starting()
        case.wait_for(hub.submit(progress), 10, "progress() did not end")
        server.started(start, 10)
        server.poll()
        server.ask("stop")

    def trouble() -> None:
        server.start()
        for kind in ("unavailable", "throttled"):
            with case.fault(kind):
                server.fails("poll")
        with case.fault("unavailable", "delete", times=2):
            server.fails("stop")

    for what in (life, trouble) if case.can("unavailable") else (life,):
        rounds: list[Blocked] = []
        while len(rounds) < 3 and all(held.seconds >= HOLD * case.patience for held in rounds):
            server = case.server(hub, f"{case.user}{what.__name__}{len(rounds)}")
            rounds.append(_held(case, hub, what))
        least = min(rounds, key=lambda held: held.seconds)
        case.within(least.seconds, HOLD, f"the event loop was held for {least}:")


def _held(case: SpawnerCase, hub: Hub, what: Callable[[], None]) -> Blocked:
    """How long the adapter's code holds the loop while something happens."""
    cls = case.suite.subject()
    files = {inspect.getfile(each) for each in cls.__mro__ if each.__module__ != "builtins"}
    with hub.lag.watching(*files) as held:
        what()
    case.said(f"the loop was held for {held}")
    return held


@clause("SPAWNER-010", MUST, hooks="alive environment")
def a_second_start_is_new(case: SpawnerCase) -> None:
    """start, stop, start gives a new server with the new token and the present environment."""
    server = case.started(case.hub())
    before = server.environment()["JUPYTERHUB_API_TOKEN"]
    server.stop()
    server.set_environment(CONFORMANCE_ROUND="two")
    server.hub.run(lambda: setattr(server.make(), "args", ["--conformance-round-two"]))
    server.start()
    env = server.environment()
    case.require(env["JUPYTERHUB_API_TOKEN"] != before, "the second server has the first's token")
    case.require(
        env["JUPYTERHUB_API_TOKEN"] == server.token,
        "the second server has another token than the hub gave it",
    )
    case.require(
        env.get("CONFORMANCE_ROUND") == "two", "the second server has the first's environment"
    )
    argv = server.running()[0].argv
    case.require(
        argv is None or "--conformance-round-two" in argv, "the second server has the first's args"
    )


@clause("SPAWNER-011", MUST, hooks="alive environment", guards="secrets")
def a_stale_server_is_replaced(case: SpawnerCase) -> None:
    """A stale resource with the same identity is replaced, and never adopted with another token.

    A server runs, the hub is killed and its database is lost; the next hub, with
    the same configuration, starts the same server. Once more, where the backend can
    refuse to remove the stale one: then there is an error, or a new server.

    Seen: howtowhale#2 https://github.com/carolynvs/howtowhale/issues/2
    Seen: dockerspawner#309 https://github.com/jupyterhub/dockerspawner/issues/309
    """
    hub = case.hub()
    case.started(hub)
    for refused in (False, True) if case.can("rejected") else (False,):
        case.did("the hub is killed, its database is lost, it starts again")
        hub.crash()
        hub.forget()
        hub.start()
        server = case.server(hub)
        with case.fault("rejected", "delete") if refused else nullcontext():
            error = server.outcome()
        if refused and error is not None:
            return
        if error is not None:
            case.fail(f"{server} did not start beside the stale one: {error!r}")
        left = case.until_settled(server.running, 1)
        case.require(len(left) == 1, f"there are {len(left)} servers of {server}, not one")
        token = server.environment(left[0])["JUPYTERHUB_API_TOKEN"]
        case.require(token == server.token, "the stale server was adopted, with a token of its own")
