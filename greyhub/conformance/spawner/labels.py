"""SPAWNER-058 and 059: whose a resource is, and what nobody knows any more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from greyhub.conformance.case import Unproven
from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.spawner.case import SpawnerCase
from greyhub.conformance.spawner.server import Server


@clause("SPAWNER-058", MUST, hooks="alive environment")
def resources_say_whose_they_are(case: SpawnerCase) -> None:
    """Every resource carries the hub's id, the user, the server and the run, as labels or tags.

    Two servers that differ in one of the four differ in their labels, and the
    labels stay as they are when the hub restarts.
    """
    one, two = case.hub("one"), case.hub("two")
    ada = case.started(one, "ada")
    labels = _labels(ada)
    pairs = [("user", case.started(one, "bob")), ("hub", case.started(two, "ada"))]
    if case.claims("named_servers"):
        pairs.append(("server", case.started(one, "ada", "two")))
    for what, other in pairs:
        found = _labels(other)
        alike = {k: v for k, v in found.items() if labels.get(k) == v}
        case.saw(f"labels of {ada}: {dict(labels)}; of {other}: {dict(found)}")
        case.require(len(alike) < len(labels), f"no label tells one {what} from another")
    one.restart()
    case.require(_labels(ada) == labels, "the labels changed when the hub restarted")
    ada.stop()
    ada.start()
    case.require(_labels(ada) != labels, "no label tells one run from the next")


def _labels(server: Server) -> Mapping[str, str]:
    found = server.running()
    server.case.require(len(found) == 1, f"{server} has {len(found)} servers, not one")
    if found[0].labels is None:
        raise Unproven("alive() tells no labels: fill them in, and the clause can be proven")
    return found[0].labels


@clause("SPAWNER-059", MUST, needs="reap", hooks="alive environment", guards="money")
def orphans_are_found(case: SpawnerCase) -> None:
    """list_orphans() and reap() find exactly the resources of this hub that the hub does not know.

    Both are coroutines of a spawner of the hub, and take the pairs of user and
    server that the hub knows. Never those of another hub.
    """
    one, two = case.hub("one"), case.hub("two")
    known, lost = case.started(one, "ada"), case.started(one, "bob")
    foreign = case.started(two, "eve")
    ids = {str(server): server.running()[0].id for server in (known, lost, foreign)}
    pairs = {(known.user, known.name)}

    async def call(method: str) -> Any:
        return await asyncio.wait_for(getattr(known.make(), method)(pairs), 10 * case.patience)

    found = case.call("list_orphans()", one.run, call, "list_orphans")
    case.require(
        set(found) == {ids[str(lost)]}, f"list_orphans() found {found}, not {[ids[str(lost)]]}"
    )
    case.require(len(case.alive()) == 3, "list_orphans() removed something")
    case.call("reap()", one.run, call, "reap")
    left = {server.id for server in case.alive()}
    case.require(ids[str(lost)] not in left, "reap() left the orphan")
    case.require(ids[str(known)] in left, "reap() removed a server that the hub knows")
    case.require(ids[str(foreign)] in left, "reap() removed a server of another hub")
