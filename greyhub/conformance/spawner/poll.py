"""SPAWNER-012 to 017, 019 and 061: poll()."""

from __future__ import annotations

import asyncio
import time

from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.spawner.case import SpawnerCase
from greyhub.conformance.spawner.server import Server


@clause("SPAWNER-012", MUST)
def poll_before_start(case: SpawnerCase) -> None:
    """Before start() and with an empty state, poll() is an int, never None."""
    server = case.server(case.hub())
    first = server.poll()
    case.require(type(first) is int, f"poll() answered {first!r}, not an int")
    server.do("load_state", {})
    second = server.poll()
    case.require(type(second) is int, f"after load_state({{}}), poll() answered {second!r}")


@clause("SPAWNER-013", MUST, hooks="alive", guards="money")
def poll_while_starting(case: SpawnerCase) -> None:
    """While start() is suspended, poll() is None.

    The server never listens, so that the start goes on; where replies can be
    late, poll() is also asked before the adapter knows of its server. It has lived
    and died before: what was known of that life is not of this one.

    Seen: kubespawner#98 https://github.com/jupyterhub/kubespawner/pull/98
    """
    server = case.started(case.hub())
    server.kill()
    server.poll()
    server.stop(tolerant=True)
    server, start = case.pending(server.hub)
    status = server.poll()
    case.require(start.done() or status is None, f"poll() answered {status!r} during start()")
    if case.can("late"):
        other = case.server(server.hub, case.user + "b")
        with case.fault("late", "create", seconds=case.patience) as hit:
            start = other.starting()
            case.until(lambda: start.done() or hit.is_set(), 6, "no server was asked for")
            status = other.poll()
        case.require(
            start.done() or status is None,
            f"poll() answered {status!r} while the server was being created",
        )


@clause("SPAWNER-014", MUST)
def poll_while_running(case: SpawnerCase) -> None:
    """While the server runs, poll() is exactly None.

    Where replies can be late, one that tells of the time before another server was
    made is still on its way while that one starts: it says nothing of the new server.
    """
    server = case.started(case.hub())
    for _ in range(5):
        case.equal(server.poll(), None, "the server runs, and poll() answered")
    if case.can("late"):
        other = case.server(server.hub, case.user + "b")
        with case.fault("late", "any", times=1, seconds=case.patience) as hit:
            look = server.submit("poll")
            case.until(lambda: look.done() or hit.is_set(), 6, "poll() did not return")
            other.start()
            status = other.poll()
        case.require(status is None, f"poll() answered {status!r}, but the new server runs")


@clause("SPAWNER-015", MUST, hooks="alive kill")
def poll_after_death(case: SpawnerCase) -> None:
    """When the server is dead, poll() is a real int within two polls: its status, if known.

    Seen: DockerSpawner 14.0.0 answers a string (dockerspawner.py:1026)
    Seen: z2jh#681 https://github.com/jupyterhub/zero-to-jupyterhub-k8s/issues/681
    """
    server = case.started(case.hub())
    server.kill()
    answers = [server.poll(), server.poll()]
    case.require(
        type(answers[-1]) is int,
        f"poll() answered {answers[-1]!r}, a {type(answers[-1]).__name__}, of a dead server",
    )


@clause("SPAWNER-016", MUST, hooks="fault", guards="money")
def unknown_is_not_dead(case: SpawnerCase) -> None:
    """A backend that is unreachable, throttled or answers nonsense makes poll() None.

    What is not known is not dead: the hub would forget a server that runs. However
    often it is asked, and if the backend no longer takes the hub's credentials.

    Seen: batchspawner#315 https://github.com/jupyterhub/batchspawner/issues/315
    Seen: batchspawner#171 https://github.com/jupyterhub/batchspawner/issues/171
    Seen: jupyterhub#3171 https://github.com/jupyterhub/jupyterhub/issues/3171
    """
    server = case.started(case.hub())
    for kind in 2 * ("unreachable", "throttled", "unavailable", "error", "rejected", "nonsense"):
        if not case.can(kind):
            continue
        with case.fault(kind):
            status = server.poll()
        case.require(status is None, f"poll() answered {status!r} with the backend {kind}")
    if case.can("late"):
        with case.fault("late", times=1, seconds=2 * case.patience):
            status = server.poll()
        case.require(status is None, f"poll() answered {status!r} while the backend was slow")
    case.equal(server.poll(), None, "when the backend was back, poll() answered")


@clause("SPAWNER-017", MUST, hooks="alive kill", guards="secrets")
def poll_changes_nothing(case: SpawnerCase) -> None:
    """poll() changes nothing: it deletes nothing, clears no state, and keeps the token.

    Asked of a server that runs, also while the backend is out of reach, and of one
    that has died: the hub needs the token to revoke it.

    Seen: BatchSpawner 1.3.0 calls clear_state() in poll() (batchspawner.py:391)
    Seen: KubeSpawner 7.1.0 calls stop() in poll() (spawner.py:2680)
    """
    server = case.started(case.hub())
    token, state = server.token, server.do("get_state")
    server.poll()
    case.require(case.alive(), "the server was gone after poll()")
    _same(case, server, token, state, "of a running server")
    if case.can("unreachable"):
        with case.fault("unreachable"):
            server.fails("poll")
        _same(case, server, token, state, "with the backend unreachable")
    server.kill()
    before = len(case.proxy.requests) if case.proxy else 0
    server.poll()
    server.poll()
    _same(case, server, token, state, "of a dead server")
    if case.proxy:
        deletes = case.suite.deletes.split()
        ended = [one.path for one in case.proxy.requests[before:] if one.method in deletes]
        case.require(not ended, f"poll() of a dead server deleted something: {ended[:1]}")


def _same(
    case: SpawnerCase, server: Server, token: str, state: dict[str, object], whose: str
) -> None:
    case.require(server.token == token, f"poll() {whose} changed the token in the hub's memory")
    case.equal(server.do("get_state"), state, f"poll() {whose} changed its state from {state} to")


@clause("SPAWNER-019", SHOULD)
def many_polls_are_few_requests(case: SpawnerCase) -> None:
    """100 polls at a time end in 10 s and cost at most 10 requests to the backend.

    The requests are counted where there is an endpoint. Ten servers, each polled
    ten times at once.

    Seen: batchspawner#174 https://github.com/jupyterhub/batchspawner/issues/174
    """
    hub = case.hub()
    servers = [case.server(hub, f"{case.user}{number}") for number in range(10)]
    for server, start in [(server, server.starting()) for server in servers]:
        server.started(start)
    proxy = case.proxy
    before = len(proxy.requests) if proxy else 0

    async def all_at_once() -> list[object]:
        return list(await asyncio.gather(*(s.make().poll() for s in servers for _ in range(10))))

    began = time.monotonic()
    call = case.wait_for(hub.submit(all_at_once), 10, "100 polls did not return")
    took = time.monotonic() - began
    case.said(f"100 polls in {took:.2f} s")
    case.require(set(call.result()) == {None}, "poll() did not answer None of servers that run")
    if proxy:
        requests = len(proxy.requests) - before
        case.saw(f"{requests} requests")
        case.require(requests <= 10, f"100 polls cost {requests} requests")


@clause("SPAWNER-061", SHOULD, hooks="alive kill")
def a_lost_server_is_noticed(case: SpawnerCase) -> None:
    """A server that is preempted, evicted or lost with its node is noticed by the next poll.

    The hub polls by itself here. That the user is told the reason cannot be seen
    from outside: no interface of the Hub carries it.
    """
    server = case.server(case.hub(spawner={"poll_interval": 1, "poll_jitter": 0}))
    case.did(f"POST /users/{server.user}/server")
    server.hub.api("POST", f"/users/{server.user}/server")
    case.until(lambda: server.ready, 10, "the server was not ready")
    server.kill()
    case.until(lambda: not server.ready, 4, "the hub still holds the server for alive")
