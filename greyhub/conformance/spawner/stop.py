"""SPAWNER-020 to 023 and 025: what stop() promises."""

from __future__ import annotations

import asyncio
import time

from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.spawner.case import SpawnerCase


@clause(
    "SPAWNER-020",
    MUST,
    hooks="alive",
    guards="money",
    seen="kubespawner#158 https://github.com/jupyterhub/kubespawner/issues/158",
)
def stop_returns_when_it_is_gone(case: SpawnerCase) -> None:
    """stop() returns only when the server is gone; the next poll() is an int."""
    server = case.started(case.hub())
    server.ask("stop")
    left = case.alive()
    case.require(not left, f"stop() returned, but {left[:1]} is alive")
    status = server.poll()
    case.require(type(status) is int, f"after stop(), poll() answered {status!r}")


@clause(
    "SPAWNER-021",
    MUST,
    hooks="alive kill",
    seen="jupyterhub#1632 https://github.com/jupyterhub/jupyterhub/issues/1632",
)
def stop_is_idempotent(case: SpawnerCase) -> None:
    """stop() may be called when never started, when already gone, twice, and twice at once."""
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
    note, where it can write one for the suite.
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
    server.ask("stop", now=False)
    case.nothing_left("the server of stop(now=False)", 2)
    if case.suite.mode != "emulator":
        case.advise(list(will.iterdir()), "the server was ended without a chance to exit")
    other = case.started(hub, case.user + "b")
    began = time.monotonic()
    other.ask("stop", now=True)
    case.nothing_left("the server of stop(now=True)", 2)
    took = time.monotonic() - began
    case.require(took < 3 * case.patience, f"stop(now=True) took {took:.1f} s")


@clause(
    "SPAWNER-023",
    MUST,
    hooks="alive fault",
    guards="money",
    seen=[
        "kubespawner#223 https://github.com/jupyterhub/kubespawner/issues/223",
        "batchspawner#171 https://github.com/jupyterhub/batchspawner/issues/171",
    ],
)
def stop_survives_a_hiccup(case: SpawnerCase) -> None:
    """Two transient errors of the backend do not leave the server running; a lasting one raises.

    The hub forgets the server after stop(), whether it raised or not.
    """
    hub = case.hub()
    server = case.started(hub, case.user)
    with case.fault("unavailable", "delete", times=2):
        server.stop(tolerant=True)
    case.nothing_left("a server whose stop met two transient errors", 3)
    other = case.started(hub, case.user + "b")
    with case.fault("unavailable", "delete"):
        raised = other.fails("stop", timeout=20)
    case.require(raised or not case.alive(), "stop() could not end the server, and did not raise")


@clause(
    "SPAWNER-025",
    SHOULD,
    hooks="alive",
    budget=30,
    seen="jupyterhub#1677 https://github.com/jupyterhub/jupyterhub/issues/1677",
)
def stop_ends(case: SpawnerCase) -> None:
    """stop() ends or raises within the bound that the suite declares.

    The server ignores SIGTERM; where the backend can be unreachable, it is.
    """
    limit = min(case.suite.stop_within, 12) * case.patience
    hub = case.hub()
    server = case.server(hub, case.user)
    server.tell("stubborn")
    server.start()
    began = time.monotonic()
    server.ask("stop", timeout=limit / case.patience + 2)
    took = time.monotonic() - began
    case.require(took < limit, f"stop() of a stubborn server took {took:.0f} s")
    case.nothing_left("a server that ignores SIGTERM", 2)
    if case.can("unreachable"):
        other = case.started(hub, case.user + "b")
        began = time.monotonic()
        with case.fault("unreachable"):
            other.fails("stop", timeout=limit / case.patience + 2)
        took = time.monotonic() - began
        case.require(took < limit, f"with the backend unreachable, stop() took {took:.0f} s")
