"""SPAWNER-018, 027 and 031 to 033: a restarted or killed hub finds its servers again."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from greyhub.conformance.case import Unproven
from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.spawner.case import SpawnerCase


@clause("SPAWNER-018", MUST, hooks="alive fault", guards="money", budget=20)
def a_restart_in_an_outage(case: SpawnerCase) -> None:
    """When the hub restarts while the backend is unreachable, the server is still known afterwards.

    The hub takes a poll() that raises for a dead server, and forgets it.

    Seen: kubespawner#786 https://github.com/jupyterhub/kubespawner/issues/786
    Seen: sudospawner#32 https://github.com/jupyterhub/sudospawner/issues/32
    """
    hub = case.hub()
    server = case.started(hub)
    for kind in ("unreachable", "unavailable") if case.can("unavailable") else ("unreachable",):
        hub.stop()
        with case.fault(kind):
            case.did(f"the hub starts again while the backend is {kind}")
            case.call("a hub that starts again", hub.start)
        case.equal(server.poll(), None, "after the outage, poll() answered")
    kept = hub.orm_spawner(server.user)
    case.require(kept["url"], "the hub has forgotten the server's address")
    case.require(case.alive(), "the server did not survive the restart")


@clause("SPAWNER-027", MUST, hooks="alive", guards="money")
def a_restarted_hub_finds_its_servers(case: SpawnerCase) -> None:
    """After the hub was killed and has started again, the server is known and can be stopped.

    poll() is None, the URL is right, there is exactly one server, and stop() ends it.
    The same, where there are named servers, of one with a name.

    Seen: kubespawner#697 https://github.com/jupyterhub/kubespawner/issues/697
    Seen: tljh#191 https://github.com/jupyterhub/the-littlest-jupyterhub/issues/191
    """
    hub = case.hub()
    names = ("", "two") if case.claims("named_servers") else ("",)
    servers = [case.server(hub, case.user, name) for name in names]
    for server in servers:
        case.did(f"{server}: the hub's API starts it")
        at = f"servers/{server.name}" if server.name else "server"
        hub.api("POST", f"/users/{server.user}/{at}")
    for server in servers:
        case.until(lambda each=server: each.ready, 10, f"{server} was not ready")  # type: ignore[misc]
    urls = [server.url for server in servers]
    case.did("the hub is killed, and starts again")
    hub.crash()
    hub.start()
    for server, url in zip(servers, urls, strict=True):
        case.equal(server.poll(), None, f"after the restart, poll() of {server} answered")
        if server.url != url:
            # It may have moved, as a tunnel does; it must be the same server.
            status = case.get(f"{server.url}api")
            case.require(status < 400, f"{server.url} answered {status}; it was at {url}")
    left = len(case.alive())
    case.require(left == len(servers), f"there are {left} servers, not {len(servers)}")
    while servers:
        server = servers.pop()
        server.ask("stop")
        case.until(
            lambda: len(case.alive()) == len(servers),
            2,
            f"{server}, though it was stopped after the restart, was not gone",
        )


@clause("SPAWNER-031", MUST, hooks="alive", guards="money", budget=20)
def a_hub_killed_in_a_start(case: SpawnerCase) -> None:
    """A server that was being started when the hub was killed is found again, or reclaimed.

    The hub keeps a state only after start() has returned: the restarted hub knows
    that there is a server, and nothing of it. It must be known to poll(), or be
    gone, after `reap_within` seconds where the suite declares that.

    Seen: mybinder.org-deploy#2686 https://github.com/jupyterhub/mybinder.org-deploy/issues/2686
    """
    hub = case.hub()
    server = case.server(hub)
    server.tell("mute")
    # Of a start that is quick the hub may have heard already, and kept its state.
    server.hold_start()
    start = server.starting()
    case.until(lambda: start.done() or case.alive(), 6, "no server came into being after start()")
    if start.done():
        case.fail(f"the start ended before the hub could be killed: {start.exception()!r}")
    case.did("the hub is killed during start(), and starts again")
    hub.crash()
    hub.config["Spawner"]["http_timeout"] = case.patience
    hub.start()
    wait = case.suite.reap_within or 0
    deadline = time.monotonic() + wait * case.patience
    while case.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    if not case.alive():
        return
    case.equal(server.poll(), None, "the server runs, the hub does not know: poll() =")
    server.ask("stop")
    case.nothing_left("the server, though it was found and stopped,")


@clause("SPAWNER-032", MUST, hooks="alive", guards="money")
def a_new_name_loses_nothing(case: SpawnerCase) -> None:
    """Options that name servers may change: the identity that was kept wins, and nothing is lost.

    The suite says which options those are, in `renames`. The server is known, and
    can be stopped.

    Seen: dockerspawner#386 https://github.com/jupyterhub/dockerspawner/pull/386
    Seen: kubespawner#924 https://github.com/jupyterhub/kubespawner/issues/924
    """
    renames = case.suite.renames
    if renames is None:
        raise Unproven(
            "say which options name servers: renames = {'MySpawner': {'prefix': 'other'}}, "
            "or {} if none does"
        )
    hub = case.hub()
    server = case.started(hub)
    case.did(f"the hub restarts with {dict(renames)}")
    hub.stop()
    for section, values in renames.items():
        hub.config.setdefault(section, {}).update(values)
    hub.start()
    case.equal(server.poll(), None, "with the new names, poll() answered")
    case.require(len(case.alive()) == 1, f"there are {len(case.alive())} servers, not one")
    server.ask("stop")
    case.nothing_left("a server that was stopped after the names had changed", 2)


@clause("SPAWNER-033", MUST)
def the_address_is_told_again(case: SpawnerCase) -> None:
    """After a restart, get_url() gives an address that answers, with the scheme of start()'s.

    It is this server's: another user has one, too.

    Seen: jupyterhub#3855 https://github.com/jupyterhub/jupyterhub/issues/3855
    """
    hub = case.hub()
    case.started(hub, case.user + "b")
    server = case.started(hub)
    before = server.url
    hub.restart()
    url = server.ask("get_url")
    parts = urlsplit(url)
    case.require(parts.scheme == urlsplit(before).scheme, f"get_url() = {url}, but was {before}")
    case.require(parts.port, f"get_url() = {url}: it has no port")
    # The hub takes scheme, host and port from it, and puts the server's own path behind.
    url = f"{parts.scheme}://{parts.netloc}{urlsplit(before).path}"
    status = case.get(f"{url}api")
    case.require(status < 500, f"{url} answered {status}")
    if case.suite.probe:
        case.require(status == 200, f"{url} answered {status}: that is another's server")
