"""CLUSTER-015, 016, 025: labels, and clusters of other users."""

from __future__ import annotations

from typing import Any

from greyhub.conformance.cluster.case import SOON, ClusterCase, held
from greyhub.conformance.contract import MUST, clause


@clause("CLUSTER-015", MUST)
def names_are_unique(case: ClusterCase) -> None:
    """Default names are unique; a name that is in use is refused, or is the same cluster again.

    Where a name cannot be given at all there is nothing to refuse. Where a backend
    outside of the notebook holds them, another notebook has other names, too.

    Seen: distributed 2026.8.0: clusters of one name are equal, and get_client() of the one gives a
      client of the other
    """
    elsewhere = []
    if case.claims("remote") or case.claims("shared"):
        case.did("another notebook makes a cluster")
        elsewhere.append(case.notebook(lambda: _name_of_one(case)).value)
    first, second = case.make(0), case.make(0)
    names = [case.get(each, "name") for each in (first, second)]
    case.require(names[0] != names[1], f"two clusters are both named {names[0]!r}")
    taken = [name for name in names if name in elsewhere]
    case.require(not taken, f"clusters of two notebooks are both named {taken[:1]}")
    stranger, error = case.attempt(
        "bob's cluster with the name of ada's", lambda: case.make(0, user="bob", name=names[0])
    )
    case.require(
        error is not None or stranger.scheduler_address != first.scheduler_address,
        f"bob asked for a cluster named {names[0]!r}, and was given ada's",
    )
    third, error = case.attempt(
        "a third with the first one's name", lambda: case.make(0, name=names[0])
    )
    if error is not None:
        return
    same = third.scheduler_address == first.scheduler_address
    case.require(same, f"there are two clusters, and both are named {names[0]!r}")


def _name_of_one(case: ClusterCase) -> str:
    suite: Any = case.suite
    cluster = suite.make("ada")
    held.append(cluster)
    return str(cluster.name)


@clause("CLUSTER-016", MUST, guards="data")
def clusters_are_separate(case: ClusterCase) -> None:
    """Clusters of one user, and of two, are separate: what is in one is not in another.

    Each has its own scheduler, its own client and its own data, and one can end
    without the others, nor their workers.
    """
    clusters = [case.make(n, user=user) for n, user in ((0, "ada"), (1, "ada"), (0, "bob"))]
    addresses = [case.get(each, "scheduler_address") for each in clusters]
    case.require(len(set(addresses)) == 3, f"three clusters have the schedulers {addresses}")
    for number, cluster in enumerate(clusters):
        client = case.client(cluster)
        found = case.call("datasets", client.list_datasets)
        case.require(not found, f"cluster {number + 1} has the data {list(found)} of another")
        case.call("publish_dataset()", lambda c=client, n=number: c.publish_dataset(mine=n))
    client = case.client(clusters[1])
    case.until(lambda: case.workers(client), SOON, "there was no worker")
    before = case.workers(client)
    case.shut(clusters[0])
    case.equal(case.compute(client, pow, 2, 4), 16, "pow(2, 4) came back as")
    left = case.workers(client) & before
    case.require(left, "the end of one cluster ended the workers of another")
    for number, cluster in enumerate(clusters[1:], 1):
        client = case.client(cluster)
        value = case.call("its own data", client.get_dataset, "mine")
        case.require(value == number, f"for its own, cluster {number + 1} has {value!r}")


@clause("CLUSTER-025", MUST, needs="shared", hooks="alive list_clusters", guards="money")
def everything_has_an_owner(case: ClusterCase) -> None:
    """Every part is labelled with hub, user and cluster; a user's list holds theirs alone."""
    # Held until the end: to forget a cluster may be to close it.
    # One's name begins with the other's.
    kept = [case.make(1, user=user) for user in ("ada", "ada", "adam")]
    case.until(
        lambda: len(case.parts("worker")) == len(kept) * case.unit, SOON, "there were no workers"
    )
    owners: dict[str, set[str]] = {}
    for part in case.alive():
        labels = part.labels or {}
        lacks = [name for name in ("hub", "user", "cluster") if not labels.get(name)]
        case.require(not lacks, f"{part.kind} {part.id} has no label {', '.join(lacks)}")
        owners.setdefault(labels["user"], set()).add(labels["cluster"])
    case.require(set(owners) == {"ada", "adam"}, f"the owners are {sorted(owners)}")
    case.require(not owners["ada"] & owners["adam"], f"one cluster has two owners: {owners}")
    for user, clusters in owners.items():
        found: Any = set(case.hook("list_clusters", user))
        case.require(found == clusters, f"{user} is listed {sorted(found)}, not {sorted(clusters)}")
