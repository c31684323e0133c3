"""SPAWNER-037, 041 and 060: where the server's token may be, and how long it is valid."""

from __future__ import annotations

from contextlib import nullcontext

from greyhub.conformance.case import Unproven
from greyhub.conformance.contract import MUST, clause, listed
from greyhub.conformance.spawner.case import SpawnerCase
from greyhub.conformance.testkit.secret_search import contains_secret


@clause("SPAWNER-037", MUST, hooks="alive", guards="secrets")
def the_token_is_nowhere_else(case: SpawnerCase) -> None:
    """The token is in no argv, log line, resource name, label, exception text or progress event.

    Log lines of every level, of a start that succeeds, a poll, a stop, and starts
    that fail: the server ends at once, or the backend does not make it. Where there
    is an endpoint, it is in no address that is asked for, which backends log.

    Seen: kubespawner#639 https://github.com/jupyterhub/kubespawner/issues/639
    Seen: fargatespawner#20 https://github.com/uktrade/fargatespawner/issues/20
    """
    hub = case.hub()
    tokens: list[str] = []

    async def told() -> list[str]:
        return [str(event) async for event in server.make().progress()]

    server = case.server(hub)
    start = server.starting()
    events = hub.submit(told)
    server.started(start, 10)
    tokens.append(server.token)
    server.poll()
    found = case.alive()
    case.require(found, "alive() shows no server")
    running = found[0]
    if running.argv is None or running.labels is None:
        raise Unproven("alive() tells no argv or no labels: fill them in")
    places = {
        "its command line": " ".join(running.argv),
        "its name": running.id,
        "a label": " ".join(f"{k}={v}" for k, v in running.labels.items()),
        "a progress event": " ".join(case.wait_for(events, 10, "progress() did not end").result()),
    }
    server.stop()
    errors = []
    for number, kind in enumerate(("", "error", "rejected")):
        failing = case.server(hub, f"{case.user}b{number}")
        failing.do_before_start(lambda spawner: tokens.append(spawner.api_token))
        if not kind:
            failing.tell("dead")
        elif not case.can(kind):
            continue
        with case.fault(kind, "create") if kind else nullcontext():
            errors.append(failing.outcome())
    places["an exception's text"] = " ".join(
        f"{error} {getattr(error, 'jupyterhub_message', '')} {getattr(error, 'reason', '')}"
        for error in errors
    )
    places["a log line"] = "\n".join(case.log.lines)
    if case.proxy:
        places["an address"] = " ".join(each.path for each in case.proxy.requests)
    for place, text in places.items():
        for token in filter(None, tokens):
            case.require(not contains_secret(text, token), f"the token is in {place}")


LISTED = (
    listed(
        "HUB-001",
        MUST,
        "After a restart of the hub, stopping a server revokes its token.",
        because="no adapter can keep it, since JupyterHub 6.1.1 does not: greyhub's own layer does "
        "on every spawner, and its tests prove it",
        seen="JupyterHub 6.1.1: api_token is only in memory, and '' after a restart",
    ),
    listed(
        "HUB-003",
        MUST,
        "When stop() has failed, it is called again, or the server's state is kept.",
        because="no adapter can keep it, since JupyterHub forgets the server either way: greyhub's "
        "own layer tries again, and its tests prove it",
        seen="JupyterHub 6.1.1, User.stop: clear_state() in finally",
    ),
    listed(
        "SPAWNER-041",
        MUST,
        "Secrets are delivered by an object or file of the owner's alone, not by readable scripts.",
        needs="secret_env",
        because="what a secret object is, and who may read it, differs with every backend; "
        "SPAWNER-037 tests all places that the suite can see",
    ),
)


@clause("SPAWNER-060", MUST, hooks="alive kill", guards="secrets")
def a_dead_server_s_token_is_revoked(case: SpawnerCase) -> None:
    """When a server dies by itself, its token is no longer valid after the hub has noticed.

    A poll() that clears the state, as BatchSpawner's does, takes from the hub what
    it must revoke.
    """
    hub = case.hub()
    server = case.server(hub)
    hub.api("POST", f"/users/{server.user}/server")
    case.until(lambda: server.ready, 10, "the server was not ready")
    token = server.token
    case.require(hub.token_is_valid(token), "the token was not valid while the server ran")
    server.kill()
    server.ask("poll_and_notify")
    server.ask("poll_and_notify")
    case.until(lambda: not server.active, 4, "the hub did not notice")
    case.require(not hub.token_is_valid(token), "the token of a dead server is still valid")
