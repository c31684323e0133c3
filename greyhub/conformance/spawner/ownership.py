"""SPAWNER-058 and 059: labels of a server's resources, and orphans."""

from __future__ import annotations

import asyncio
import re
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
    ada = case.started(one, case.user)
    before = _labels(ada)
    ada.stop()
    ada.start()
    first = _labels(ada)
    # What differs from run to run tells nothing of whose a resource is.
    run = _differing(before, first)
    case.require(run, "no label tells one run from the next")
    one.restart()
    case.require(_labels(ada) == first, "the labels changed when the hub restarted")
    others = {"user": _labels(case.started(one, case.user + "b"))}
    if case.claims("named_servers"):
        others["server"] = _labels(case.started(one, case.user, "two"))
    others["hub"] = _labels(case.started(two, case.user))
    for what, labels in others.items():
        case.saw(f"labels of another {what}: {dict(labels)}")
        case.require(_differing(first, labels) - run, f"no label tells one {what} from another")


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> set[tuple[str, int]]:
    """Where two sets of labels differ; a label may hold several parts: ``hub/user``."""
    parts = [
        {
            (key, number): part
            for key, value in labels.items()
            for number, part in enumerate(re.split("[/,:;|]", value))
        }
        for labels in (one, other)
    ]
    return {key for key in {*parts[0], *parts[1]} if parts[0].get(key) != parts[1].get(key)}


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
    server that the hub knows. Never those of another hub. The user whose server is
    known has a name that labels may not take as it is, and perhaps another server,
    which is lost.
    """
    one, two = case.hub("one"), case.hub("one-more")
    known = case.started(one, f"{case.user}@a.b")
    lost = [case.started(one, case.user + "b")]
    if case.claims("named_servers"):
        lost.append(case.started(one, known.user, "two"))
    foreign = case.started(two, case.user + "e")
    ids = {str(server): server.running()[0].id for server in (known, *lost, foreign)}
    wanted = {ids[str(server)] for server in lost}
    pairs = {(known.user, known.name)}

    async def call(method: str) -> Any:
        return await asyncio.wait_for(getattr(known.make(), method)(pairs), 10 * case.patience)

    stored = case.volumes() if case.suite.has("volumes") else {}
    found = case.call("list_orphans()", one.run, call, "list_orphans")
    case.require(set(found) == wanted, f"list_orphans() found {found}, not {sorted(wanted)}")
    case.require(len(case.alive()) == len(ids), "list_orphans() removed something")
    case.call("reap()", one.run, call, "reap")
    left = {server.id for server in case.alive()}
    case.require(not wanted & left, "reap() left an orphan")
    if stored:
        case.require(case.volumes() == stored, "reap() removed the users' data")
    case.require(ids[str(known)] in left, "reap() removed a server that the hub knows")
    case.require(ids[str(foreign)] in left, "reap() removed a server of another hub")
