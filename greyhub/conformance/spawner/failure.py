"""SPAWNER-005 to 008, 024 and 062: a start that fails or is cancelled leaves nothing behind."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from jupyterhub.spawner import SpawnException
from tornado.web import HTTPError

from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.spawner.backend import Call
from greyhub.conformance.spawner.case import SpawnerCase


@clause("SPAWNER-005", MUST, hooks="fault")
def the_user_s_fault_is_told_apart(case: SpawnerCase) -> None:
    """What the user caused is a SpawnException or an HTTPError 4xx; what the backend caused is not.

    The hub counts the latter, and ends itself after too many in a row. Where the
    backend can reject a request, the first is tested too.
    """
    server = case.server(case.hub())
    with case.fault("error", "create"):
        server.fails_to_start("the backend could not make a server")
    error = case.answer("start").error
    case.require(not _is_users(error), f"the backend's failure is blamed on the user: {error!r}")
    for kind in ("unavailable", "unreachable", "throttled"):
        if not case.can(kind):
            continue
        with case.fault(kind, "create"):
            error = server.outcome()
        if error is None:  # it has other ways than by its API
            server.stop()
        case.require(not _is_users(error), f"{kind}: that is blamed on the user: {error!r}")
    if case.claims("rejections"):
        with case.fault("rejected", "create"):
            server.fails_to_start("the backend refused the request")
        error = case.answer("start").error
        case.require(_is_users(error), f"the backend's refusal counts as its failure: {error!r}")


def _is_users(error: BaseException | None) -> bool:
    status = getattr(error, "status_code", 500)
    return isinstance(error, SpawnException | HTTPError) and 400 <= status < 500


@clause("SPAWNER-006", MUST, hooks="alive", guards="money")
def a_failed_start_leaves_nothing(case: SpawnerCase) -> None:
    """If start() raises after something was created, nothing is left.

    It has cleaned up, or poll() is None so that the hub stops it. The server ends
    as it starts; where the backend can fail, it does so once or twice while the server
    is waited for; and, where replies can be lost, the reply to its creation is.

    Seen: kubespawner#95 https://github.com/jupyterhub/kubespawner/issues/95
    Seen: kubespawner#427 https://github.com/jupyterhub/kubespawner/issues/427
    Seen: kubespawner#305 https://github.com/jupyterhub/kubespawner/issues/305
    """
    server = case.server(case.hub(spawner={"http_timeout": 1, "start_timeout": 3}), case.user)
    server.tell("dead")
    server.fails_to_start("its server ends at once")
    case.nothing_left("what a failed start had made")
    for times in (1, 2) if case.can("error") else ():
        slow, start = case.pending(server.hub, f"{case.user}c{times}")
        with case.fault("error", times=times):
            case.wait_for(start, 10, f"the start of {slow} did not end")
        case.nothing_left("a server of which the backend could not tell while it started")
    if case.can("lost"):
        other = case.server(server.hub, case.user + "b")
        with case.fault("lost", "create"):
            failed = other.outcome()
        if failed is None:
            # It asked again, and found one: there may be no other.
            other.stop()
        case.nothing_left("what was made, though the reply was lost,")


@clause("SPAWNER-007", MUST, hooks="alive", guards="money")
def a_start_over_time_leaves_nothing(case: SpawnerCase) -> None:
    """If start() is cancelled by start_timeout, nothing is left.

    Not even where the backend has made the server and the adapter has not yet
    heard of it: the reply to the creation comes after the timeout.

    Seen: mybinder.org-deploy#2686 https://github.com/jupyterhub/mybinder.org-deploy/issues/2686
    """
    server = case.server(case.hub(spawner={"start_timeout": 1, "http_timeout": 1}))
    server.tell("mute")
    server.fails_to_start("its server never listens")
    case.nothing_left("the server of a start over time")
    if case.can("late"):
        other = case.server(server.hub, case.user + "b")
        with case.fault("late", "create", seconds=2 * case.patience) as hit:
            error = other.outcome()
        case.require(error is not None or not hit.is_set(), "start() ended well after its timeout")
        if error is not None:
            case.nothing_left("the server whose creation was not yet confirmed")


@clause("SPAWNER-008", MUST, hooks="alive")
def cancellation_is_obeyed(case: SpawnerCase) -> None:
    """A CancelledError leaves start() within 5 s and is not swallowed.

    Not while the server is waited for, which never listens; nor, where replies can
    be late, while it is being created.
    """
    hub = case.hub(spawner={"start_timeout": 1, "http_timeout": 1})
    servers = [case.server(hub, case.user)]
    starts: list[Call] = []
    if case.can("late"):
        # What is left of an earlier life is removed first: that can be late as well.
        other = case.server(hub, case.user + "c")
        other.tell("mute")
        with case.fault("late", "delete", times=1, seconds=2 * case.patience) as hit:
            starts.append(other.starting())
            case.until(lambda: starts[0].done() or hit.is_set() or case.alive(), 6, "no start")
    late: AbstractContextManager[Any] = nullcontext()
    if case.can("late"):
        servers.append(case.server(hub, case.user + "b"))
        late = case.fault("late", "create", times=1, seconds=2 * case.patience)
    for server in servers:
        server.tell("mute")
    with late as hit:
        # The last one's creation is the one that is late.
        starts.append(last := servers[-1].starting())
        if hit is not None:
            case.until(lambda: last.done() or hit.is_set(), 6, "no server was asked for")
            starts.append(servers[0].starting())
        for start in starts:
            case.wait_for(start, 10, "the start did not end")
    answers = [answer for answer in case.answers if answer.name == "start"]
    case.require(answers, "start() was not called, or did not return")
    for answer in answers:
        took = answer.ended - answer.began - case.patience
        if took < 0:
            # It returned before it could be cancelled: there was nothing to obey.
            continue
        case.require(
            answer.error is not None,
            f"start() swallowed the cancellation and gave {answer.value!r}",
        )
        case.within(took, 5, "start() went on after it for")


@clause("SPAWNER-024", MUST, hooks="alive", guards="money")
def a_pending_start_can_be_stopped(case: SpawnerCase) -> None:
    """Cancelling a pending start, as the hub's DELETE does, leaves nothing.

    The hub cancels the start, waits one second, and stops the server.

    Seen: kubespawner#240 https://github.com/jupyterhub/kubespawner/issues/240
    Seen: jupyterhub#2975 https://github.com/jupyterhub/jupyterhub/issues/2975
    """
    server = case.server(case.hub())
    server.tell("mute")
    case.did(f"POST /users/{server.user}/server, and DELETE while it is pending")
    post = server.hub.api("POST", f"/users/{server.user}/server")
    case.require(post.status_code in (201, 202), f"the start was refused: {post.text}")
    case.until(case.alive, 6, "no server came into being")
    gone = server.hub.api("DELETE", f"/users/{server.user}/server")
    case.said(f"DELETE: status {gone.status_code}")
    case.nothing_left("the server of a start that was cancelled", stays=1)


@clause("SPAWNER-062", SHOULD)
def a_wrong_command_is_named(case: SpawnerCase) -> None:
    """What is wrong with the server's own settings is told by their name.

    The command is the one setting that every Spawner has: it names a program that
    does not exist. The error must name it, or the option.
    """
    hub = case.hub(
        spawner={
            "cmd": ["/no/such/program"],
            "start_timeout": 3,
            "http_timeout": 2,
        }
    )
    server = case.server(hub)
    error = server.fails_to_start("its command does not exist")
    told = " ".join(_texts(error))
    named = "/no/such/program" in told or "cmd" in told
    case.require(named, f"the error names neither the option nor the program: {told!r}")


def _texts(error: BaseException | None) -> list[str]:
    found = []
    while error is not None and not isinstance(error, asyncio.CancelledError):
        found += [str(error), str(getattr(error, "jupyterhub_message", "") or "")]
        error = error.__cause__
    return found
