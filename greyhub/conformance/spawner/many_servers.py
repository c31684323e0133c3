"""SPAWNER-048 to 052: many users, named servers, several hubs."""

from __future__ import annotations

from contextlib import suppress

from greyhub.conformance.contract import MUST, SHOULD, clause, listed
from greyhub.conformance.spawner.case import SpawnerCase
from greyhub.conformance.spawner.server import Server
from greyhub.conformance.testkit.hub import Hub

TWINS = (
    ("a", "b-c"),
    ("a-b", "c"),
    ("a-b-c", ""),
    ("test1", ""),
    ("test11", ""),
    ("test1", "l1"),
    ("test1l1", ""),
    ("a@x", ""),
    ("a-x", ""),
    ("a_x", ""),
    ("a.x", ""),
    ("a-40x", ""),
    ("n" * 60, ""),
    ("n" * 61, ""),
    ("é", ""),
    ("è", ""),
)
"""Pairs of user and server whose names fall together where they are joined, cut or cleaned."""

LIMIT = 15.0
"""Seconds that many servers that start at once have to be up."""

MANY_SERVERS_BUDGET = 4 * LIMIT
"""Seconds for a clause of many servers: one that never answers is found before it is over."""


@clause(
    "SPAWNER-048",
    MUST,
    needs="named_servers",
    hooks="alive environment",
    guards="data",
    budget=MANY_SERVERS_BUDGET,
)
def names_are_never_shared(case: SpawnerCase) -> None:
    """No two pairs of user and server have one resource.

    Pairs that fall together where names are joined, cut or cleaned: each must have
    a server of its own, which poll() knows and stop() ends. Those whose OAuth client
    JupyterHub itself confuses (``a``/``b-c``, ``a-b``/``c``) run one after the other.

    Seen: CVE-2020-15110 GHSA-v7m9-9497-p9gr
    Seen: JupyterHub 6.1.1 gives a/b-c and a-b/c one OAuth client (user.py:565)
    Seen: dockerspawner#386 https://github.com/jupyterhub/dockerspawner/pull/386
    Seen: kubespawner#71 https://github.com/jupyterhub/kubespawner/issues/71
    """
    hub = _patient_hub(case)
    ids: dict[str, str] = {}
    rounds: dict[str, int] = {}
    servers = [case.server(hub, user, name) for user, name in TWINS]
    for server in servers:
        client = f"{server.user}-{server.name}" if server.name else server.user
        server.round = rounds[client] = rounds.get(client, -1) + 1
    for number in range(max(rounds.values()) + 1):
        now = [server for server in servers if server.round == number]
        _start(case, now)
        for server in now:
            found = server.running()
            case.require(len(found) == 1, f"{server} has {len(found)} servers, not one")
            before = ids.setdefault(found[0].id, str(server))
            case.require(before == str(server), f"{before} and {server} are both {found[0].id}")
            case.equal(server.poll(), None, f"{server} runs, and poll() answered")
        if case.claims("persistent_home"):
            have = len(case.volumes())
            case.require(have >= len(ids), f"{len(ids)} servers have {have} volumes")
        for server in now:
            server.stop()
        left = case.until_settled(case.alive, 0)
        case.require(not left, f"of {len(now)} servers that were stopped, {left[:1]} is alive")


def _patient_hub(case: SpawnerCase) -> Hub:
    """A hub that gives up on a server no sooner than the clause does."""
    return case.hub(spawner=dict.fromkeys(("http_timeout", "start_timeout"), LIMIT * case.patience))


def _start(case: SpawnerCase, servers: list[Server]) -> None:
    """Start them at once."""
    starts = [(server, server.starting()) for server in servers]
    for server, start in starts:
        server.started(start, LIMIT)


@clause("SPAWNER-049", MUST, needs="named_servers", hooks="alive environment", guards="data")
def named_servers_are_independent(case: SpawnerCase) -> None:
    """The servers of one user are independent: each has its token and address, and stops alone.

    Seen: jupyterhub#2572 https://github.com/jupyterhub/jupyterhub/issues/2572
    """
    hub = case.hub()
    servers = [case.server(hub, case.user, name) for name in ("", "one", "two")]
    _start(case, servers)
    tokens = [server.environment()["JUPYTERHUB_API_TOKEN"] for server in servers]
    case.require(len(set(tokens)) == 3, "two servers of one user have the same token")
    for server, token in zip(servers, tokens, strict=True):
        case.require(token == server.token, f"{server} has another server's token")
    _own_addresses(case, servers)
    servers[1].stop()
    case.until(lambda: not servers[1].running(), 2, f"{servers[1]} was stopped: it was not gone")
    status = servers[1].poll()
    case.require(type(status) is int, f"{servers[1]} was stopped, and poll() answered {status!r}")
    for server in (servers[0], servers[2]):
        _runs(server)
    servers[0].stop()
    _runs(servers[2])


def _runs(server: Server) -> None:
    status = server.poll()
    server.case.require(
        status is None and server.running(), f"{server} ended with another server of its user"
    )


@clause(
    "SPAWNER-050", MUST, hooks="alive environment", guards="secrets", budget=MANY_SERVERS_BUDGET
)
def simultaneous_starts_do_not_mix(case: SpawnerCase) -> None:
    """15 servers that start at once get each its own environment, token, prefix and address."""
    hub = _patient_hub(case)
    servers = [case.server(hub, f"{case.user}{number}") for number in range(15)]
    for server in servers:
        server.set_environment(CONFORMANCE_OF=server.user)
    _start(case, servers)
    found = {}
    for running in case.alive():
        env = case.hook("environment", running, quietly=True)
        found[env.get("JUPYTERHUB_USER")] = env
    for server in servers:
        case.require(server.user in found, f"{server} has no server")
        env = found[server.user]
        wanted = {
            "JUPYTERHUB_API_TOKEN": server.token,
            "JUPYTERHUB_SERVICE_PREFIX": f"/user/{server.user}/",
            "CONFORMANCE_OF": server.user,
        }
        for name, value in wanted.items():
            case.require(env.get(name) == value, f"{server} has another server's {name}")
    _own_addresses(case, servers)


def _own_addresses(case: SpawnerCase, servers: list[Server]) -> None:
    """The hub's address of each server is its own: the suite's command knows its prefix."""
    for server in servers if case.suite.probe else ():
        status = case.get(f"{server.url}api")
        case.require(status == 200, f"{server.url} answered {status}: that is another's server")


@clause("SPAWNER-051", MUST, hooks="alive environment", guards="data")
def two_hubs_are_apart(case: SpawnerCase) -> None:
    """Two hubs in one namespace do not see, stop or adopt each other's servers.

    Both have a user of the same name. ``{hub}`` in the suite's config names the
    hub, by which an adapter may tell them apart.

    Seen: kubespawner#434 https://github.com/jupyterhub/kubespawner/issues/434
    """
    here, there = case.hub("one"), case.hub("two")
    mine = case.started(here)
    other = case.server(there)
    status = other.poll()
    case.require(status is not None, "the other hub sees our server: poll() is None")
    with suppress(Exception):  # what there is to say of that is another clause's
        other.ask("stop")
    case.require(mine.running(), "the other hub's stop() ended our server")
    other.start()
    case.require(mine.running(), "the other hub's start() ended our server")
    case.require(len(case.alive()) == 2, f"two hubs have {len(case.alive())} servers, not one each")
    other.stop()
    status = mine.poll()
    case.require(status is None and mine.running(), "the other hub's stop() ended our server")


LISTED = (
    listed(
        "SPAWNER-052",
        SHOULD,
        "A server cannot read another's environment or home, or reach its port without a token.",
        needs="isolation",
        because="it takes a program inside the servers, which the suite's stand-in cannot be "
        "for every backend; greyhub's own spawner is tested for it by its own tests",
    ),
)
