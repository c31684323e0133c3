"""CLUSTER-006 and 007: adapt() lets the number of workers follow the load."""

from __future__ import annotations

import time
from typing import Any

from greyhub.conformance.cluster.case import SOON, ClusterCase
from greyhub.conformance.contract import MUST, clause


@clause("CLUSTER-006", MUST, needs="adaptive", hooks="alive", refusal=True, guards="money")
def adapt_follows_the_load(case: ClusterCase) -> None:
    """adapt(0, k) goes up under load, never above k, and back; a second adapt replaces the first.

    Where it is declined, adapt() must raise: it must not be taken for done.

    Seen: distributed#3863 https://github.com/dask/distributed/issues/3863
    Seen: distributed#6679 https://github.com/dask/distributed/issues/6679
    """
    cluster = case.make(0)
    if not case.claims("adaptive"):
        case.did("adapt(minimum=0, maximum=2), which is declined")
        _, error = case.attempt("adapt()", lambda: cluster.adapt(minimum=0, maximum=2))
        case.require(error is not None, "adapt() is declined, and yet it did not raise")
        return
    client = case.client(cluster)
    _adapt(case, cluster, 0, 2)
    most = _most_under_load(case, client)
    case.saw(f"{most} workers at most")
    allowed = 2 * case.unit
    case.require(most <= allowed, f"there were {most} workers, where {allowed} are the most")
    case.settled(client, 0)
    _adapt(case, cluster, 1, 1)
    case.settled(client, 1)
    _stays(case, client, 1, "the first adapt() is at work still")


def _most_under_load(case: ClusterCase, client: Any) -> int:
    """How many workers there were at most while they worked off a second of tasks."""
    # These go when the load is over: a worker with a result that someone holds is not idle.
    futures = case.call("a load", lambda: client.map(time.sleep, [0.05] * 20, pure=False))
    most = 0

    def over() -> bool:
        nonlocal most
        most = max(most, len(case.parts("worker")), len(case.workers(client)))
        return all(future.done() for future in futures)

    case.until(over, SOON, "a load of one second was not worked off", every=0.05)
    return most


@clause("CLUSTER-007", MUST, needs="adaptive", hooks="alive", guards="money")
def accounts_agree_at_rest(case: ClusterCase) -> None:
    """At rest what is planned, requested and observed are the same workers, and stay so.

    ``plan``, ``requested`` and ``observed`` are compared where a cluster has them;
    the scheduler and the backend always.

    Seen: distributed#8119 https://github.com/dask/distributed/issues/8119
    Seen: distributed#9102 https://github.com/dask/distributed/issues/9102
    Seen: analysis-grand-challenge#9 https://github.com/iris-hep/analysis-grand-challenge/issues/9
    """
    cluster, client = case.scaled(2)
    _adapt(case, cluster, 1, 2)
    case.settled(client, 1)
    accounts = {
        name: set(getattr(cluster, name))
        for name in ("plan", "requested", "observed")
        if hasattr(cluster, name)
    }

    def agree() -> bool:
        for name in accounts:
            accounts[name] = set(getattr(cluster, name))
        return all(len(each) == case.unit for each in accounts.values()) and (
            len({frozenset(map(str, each)) for each in accounts.values()}) <= 1
        )

    try:
        case.until(agree, 2, "plan, requested and observed did not agree")
    finally:
        case.said(", ".join(f"{name} = {value}" for name, value in accounts.items()))
    _stays(case, client, 1, "nothing asks for another number")


def _adapt(case: ClusterCase, cluster: Any, minimum: int, maximum: int) -> None:
    bounds = {"minimum": minimum * case.unit, "maximum": maximum * case.unit}
    case.did(f"adapt({', '.join(f'{name}={value}' for name, value in bounds.items())})")
    case.call("adapt()", cluster.adapt, **bounds)


def _stays(case: ClusterCase, client: Any, number: int, why: str) -> None:
    number *= case.unit
    deadline = time.monotonic() + 0.6 * case.patience
    while time.monotonic() < deadline:
        found = (len(case.workers(client)), len(case.parts("worker")))
        case.require(
            found == (number, number),
            f"{number} workers became {found[0]} at the scheduler and {found[1]} in the "
            f"backend: {why}",
        )
        time.sleep(0.05)
    case.saw(f"{number} workers for {0.6 * case.patience:g} s")
