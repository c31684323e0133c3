"""SPAWNER-055 to 057: storage that outlives a server."""

from __future__ import annotations

from contextlib import suppress

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.spawner.case import SpawnerCase


@clause("SPAWNER-055", MUST, needs="persistent_home", hooks="alive volumes", guards="data")
def delete_forever_deletes_this(case: SpawnerCase) -> None:
    """delete_forever() removes exactly this server's storage; it is idempotent, sync or async.

    Two users and, where there are named servers, two servers of one user: only
    one of them is deleted for ever.

    Seen: kubespawner#880 https://github.com/jupyterhub/kubespawner/issues/880
    Seen: kubespawner#873 https://github.com/jupyterhub/kubespawner/pull/873
    Seen: kubespawner#446 https://github.com/jupyterhub/kubespawner/issues/446
    """
    hub = case.hub()
    before = set(case.volumes())
    names = ["", "two"] if case.claims("named_servers") else [""]
    mine = [case.started(hub, case.user, name) for name in names]
    others = case.started(hub, case.user + "b")
    have = case.volumes()
    case.require(set(have) - before, "no storage came into being with the servers")
    for server in (*mine, others):
        server.stop()
    gone = mine[-1]
    if case.can("unavailable"):
        with case.fault("unavailable", "delete"):
            raised = gone.fails("delete_forever")
        left = set(have) == set(case.volumes())
        case.require(raised or not left, "delete_forever() could not delete, and did not raise")
    gone.delete_forever()
    once = case.volumes()
    gone.delete_forever()
    twice = case.volumes()
    case.require(once == twice, "the second delete_forever() removed something")
    removed = set(have) - set(once)
    case.require(removed, f"delete_forever() of {gone} removed nothing")
    case.require(
        len(removed) == 1, f"delete_forever() of {gone} removed {len(removed)}: {sorted(removed)}"
    )
    for server in [*mine[:-1], others]:
        server.start()
        now = case.volumes()
        case.require(
            set(now) == set(once), f"delete_forever() of {gone} removed the storage of {server}"
        )
    if len(mine) > 1:
        gone.start()
        have = case.volumes()
        for server in mine:
            server.stop()
        mine[0].delete_forever()
        removed = set(have) - set(case.volumes())
        case.require(
            len(removed) == 1,
            f"delete_forever() of {mine[0]} removed {len(removed)}: {sorted(removed)}",
        )


@clause("SPAWNER-056", MUST, needs="persistent_home", hooks="alive volumes", guards="data")
def a_stop_keeps_the_data(case: SpawnerCase) -> None:
    """stop() and clear_state() never touch the user's data; the next start finds them.

    Nor does a start that fails, or one that is cancelled.
    """
    server = case.started(case.hub(spawner={"http_timeout": 2}))
    have = case.volumes()
    case.require(have, "no storage came into being with the server")
    server.stop()
    case.require(case.volumes() == have, "stop() changed the user's data")
    server.do("clear_state")
    case.require(case.volumes() == have, "clear_state() changed the user's data")
    server.start()
    case.require(case.volumes() == have, "the next start did not find the data as they were")
    server.stop()
    server.tell("dead")
    server.fails_to_start("its server ends at once")
    case.require(case.volumes() == have, "a start that failed changed the user's data")
    server.tell("mute")
    server.hub.api("POST", f"/users/{server.user}/server")
    case.until(case.alive, 6, "no server came into being")
    server.hub.api("DELETE", f"/users/{server.user}/server")
    case.until(lambda: not server.pending, 5, "the start that was cancelled did not end")
    case.require(case.volumes() == have, "a start that was cancelled changed the user's data")


@clause("SPAWNER-057", MUST, needs="rename persistent_home", hooks="alive volumes", guards="data")
def a_renamed_server_keeps_its_data(case: SpawnerCase) -> None:
    """When a server is renamed, its data follow, or rename() raises and nothing has changed.

    The latter where the backend is out of order.
    """
    server = case.started(case.hub(), case.user, "old")
    server.stop()
    have = case.volumes()
    if case.can("error"):
        with case.fault("error", "create"), suppress(Exception):
            server.ask("rename", "old", "new")
        now = case.volumes()
        case.require(
            sorted(now.values()) == sorted(have.values()),
            "rename() lost or changed the data when the backend failed",
        )
        if now != have:  # it has other ways than by its API
            server.ask("rename", "new", "old")
    try:
        server.ask("rename", "old", "new")
    except Exception:
        case.require(case.volumes() == have, "rename() raised, and had changed the storage")
        server.start()
        case.require(case.volumes() == have, "rename() raised, and the data are not found again")
        return
    server.renamed("new")
    moved = case.volumes()
    case.require(
        sorted(moved.values()) == sorted(have.values()), "rename() lost or changed the data"
    )
    server.start()
    now = case.volumes()
    case.require(set(now) == set(moved), "under its new name the server has other storage")
