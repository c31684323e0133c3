"""SPAWNER-020 to 023 and 025: stop()."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.spawner.case import SpawnerCase


@clause("SPAWNER-020", MUST, hooks="alive", guards="money")
def stop_returns_when_it_is_gone(case: SpawnerCase) -> None:
    """stop() returns only when the server is gone; the next poll() is an int.

    The same when the server has been started and stopped before.

    Seen: kubespawner#158 https://github.com/jupyterhub/kubespawner/issues/158
    """
    server = case.server(case.hub())
    for again in ("", "the second "):
        server.start()
        server.ask("stop")
        left = case.alive()
        case.require(not left, f"{again}stop() returned, but {left[:1]} is alive")
        status = server.poll()
        case.require(type(status) is int, f"after {again}stop(), poll() answered {status!r}")
        server.stop()


@clause("SPAWNER-021", MUST, hooks="alive kill")
def stop_is_idempotent(case: SpawnerCase) -> None:
    """stop() may be called when never started, when already gone, twice, and twice at once.

    Seen: jupyterhub#1632 https://github.com/jupyterhub/jupyterhub/issues/1632
    """
    hub = case.hub()
    case.server(hub, "never").ask("stop")
    server = case.started(hub, case.user)
    server.kill()
    server.ask("stop")
    other = case.started(hub, case.user + "b")
    spawner = other.spawner

    async def twice() -> None:
        await asyncio.gather(spawner.stop(), spawner.stop())

    case.did(f"{other}: stop() and stop() at once")
    case.wait_for(hub.submit(twice), 20, "stop() twice at once did not return").result()
    other.ask("stop")
    case.nothing_left("a server that was stopped three times")


@clause("SPAWNER-022", MUST, hooks="alive")
def stop_takes_now(case: SpawnerCase) -> None:
    """stop() accepts now: now=True ends the server at once, now=False lets it exit by itself.

    That the server has seen SIGTERM, or had its grace, is a SHOULD: it leaves a
    note, where it can write one for the suite. Two servers that ignore SIGTERM are
    stopped, first one with now=False: the other one ends before it.
    """
    hub = case.hub()
    will = case.directory / "will"
    will.mkdir(mode=0o777)
    will.chmod(0o777)
    for folder in (case.directory, case.directory.parent):
        folder.chmod(0o711)
    server = case.server(hub, case.user)
    server.tell("", PROBE_WILL=str(will))
    server.start()
    began = time.monotonic()
    server.ask("stop", now=False)
    usual = time.monotonic() - began
    case.nothing_left("the server of stop(now=False)", 2)
    if case.suite.mode != "emulator":
        case.advise(list(will.iterdir()), "the server was ended without a chance to exit")
    waits, other = (case.server(hub, case.user + letter) for letter in "bc")
    for each in (waits, other):
        each.tell("stubborn")
        each.start()
    patient, ended = waits.submit("stop", now=False), list[float]()
    began = time.monotonic()
    patient.add_done_callback(lambda _: ended.append(time.monotonic()))
    other.ask("stop", now=True)
    took = time.monotonic() - began
    case.require(len(case.alive()) < 2, "stop(now=True) returned, but its server is alive")
    case.within(took, 3, "stop(now=True) took")
    grace = ended[0] - began - usual if ended else 0.0
    case.require(
        grace < 0.5 or took - usual < 0.8 * grace,
        f"stop(now=True) waited {took:.1f} s for a server that ignores SIGTERM, as without now",
    )


@clause("SPAWNER-023", MUST, hooks="alive fault", guards="money")
def stop_survives_a_hiccup(case: SpawnerCase) -> None:
    """Two transient errors of the backend do not leave the server running; a lasting one raises.

    The hub forgets the server after stop(), whether it raised or not. The backend is
    busy, wants to be asked less often, or cannot be reached, as far as it can be.

    Seen: kubespawner#223 https://github.com/jupyterhub/kubespawner/issues/223
    Seen: batchspawner#171 https://github.com/jupyterhub/batchspawner/issues/171
    """
    hub = case.hub()
    for kinds in (("unavailable", "unavailable"), ("throttled", "unreachable")):
        met = [kind for kind in kinds if case.can(kind)]
        server = case.started(hub, case.user)
        with ExitStack() as faults:
            for kind in met:
                faults.enter_context(case.fault(kind, "delete", times=1))
            server.stop(tolerant=True)
        case.nothing_left(f"a server whose stop met two transient errors, {', '.join(met)},", 3)
    other = case.started(hub, case.user + "b")
    with ExitStack() as faults:
        faults.enter_context(case.fault("unavailable", "delete", times=1))
        lasting = "unreachable" if case.can("unreachable") else "unavailable"
        faults.enter_context(case.fault(lasting, "delete"))
        raised = other.fails("stop", timeout=20)
    case.require(raised or not case.alive(), "stop() could not end the server, and did not raise")
    if case.can("rejected"):
        other.stop()
        third = case.started(hub, case.user + "c")
        with case.fault("rejected", "delete"):
            raised = third.fails("stop", timeout=20)
        case.require(
            raised or not case.alive(), "stop() was refused by the backend, and did not raise"
        )


@clause("SPAWNER-025", SHOULD, hooks="alive", budget=30)
def stop_ends(case: SpawnerCase) -> None:
    """stop() ends or raises within the bound that the suite declares.

    The server ignores SIGTERM; where the backend can be unreachable, it is.

    Seen: jupyterhub#1677 https://github.com/jupyterhub/jupyterhub/issues/1677
    """
    limit = min(case.suite.stop_within, 12)
    server = case.server(case.hub(), case.user)
    server.tell("stubborn")
    server.start()
    began = time.monotonic()
    server.ask("stop", timeout=limit + 2)
    took = time.monotonic() - began
    case.within(took, limit, "stop() of a stubborn server took")
    case.nothing_left("a server that ignores SIGTERM", 2)
    if case.can("unreachable"):
        other = case.started(server.hub, case.user + "b")
        began = time.monotonic()
        with case.fault("unreachable"):
            other.fails("stop", timeout=limit + 2)
        took = time.monotonic() - began
        case.within(took, limit, "with the backend unreachable, stop() took")
