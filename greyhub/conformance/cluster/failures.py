"""CLUSTER-017, 020 to 023, 028, 032: a worker, scheduler, notebook or backend is lost."""

from __future__ import annotations

import signal
import time
from typing import Any

from greyhub.conformance.cluster.case import SOON, ClusterCase
from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.testkit.audit import cut_off


@clause("CLUSTER-017", MUST, hooks="alive kill")
def a_lost_worker_is_replaced(case: ClusterCase) -> None:
    """A killed worker is noticed, the next scale(n) restores n, and its results come again.

    Seen: dask-kubernetes#244 https://github.com/dask/dask-kubernetes/issues/244
    Seen: dask-kubernetes#417 https://github.com/dask/dask-kubernetes/issues/417
    """
    cluster, client = case.scaled(1)
    before = case.workers(client)
    future = case.call("a task", lambda: client.submit(pow, 7, 2, pure=False))
    case.call("its result", future.result, SOON * case.patience)
    case.did("the worker is killed")
    for part in case.parts("worker"):
        case.hook("kill", part)
    case.until(lambda: not before & case.workers(client), SOON, "the loss was not noticed")

    def restored() -> bool:
        if len(case.parts("worker")) == len(case.workers(client)) == case.unit:
            return True
        # Some restart it by themselves, some when they are asked again.
        case.quietly("scale()", cluster.scale, case.unit)
        return False

    case.did("scale(1), until there is one")
    case.until(restored, SOON, "scale(1) did not restore the worker", every=0.2)
    case.settled(client, 1)
    value = case.call("the lost result", future.result, SOON * case.patience)
    case.require(value == 49, f"pow(7, 2), computed again, came back as {value!r}")


@clause(
    "CLUSTER-020",
    MUST,
    needs="reaps_on_client_death",
    hooks="alive",
    guards="money",
    budget=25,
)
def a_killed_notebook_takes_its_cluster_with_it(case: ClusterCase) -> None:
    """When the notebook is killed, everything is gone within the time that is claimed.

    The notebook is a process of its own, with a cluster where the adapter puts it,
    and gets SIGKILL.

    Seen: dask-gateway#393 https://github.com/dask/dask-gateway/issues/393
    Seen: dask-gateway#255 https://github.com/dask/dask-gateway/issues/255
    Seen: distributed#1322 https://github.com/dask/distributed/issues/1322
    Seen: distributed#4263 https://github.com/dask/distributed/issues/4263
    """
    _notebook_ends(case, signal.SIGKILL, float(case.claims("reaps_on_client_death")))


def _notebook_ends(case: ClusterCase, number: int, seconds: float) -> None:
    notebook = case.at_work()
    case.did(f"the notebook gets {signal.Signals(number).name}")
    notebook.signal(number)
    case.until(lambda: notebook.wait(0) is not None, SOON, "the notebook did not end")
    case.nothing_left("after the notebook's end", seconds)


@clause("CLUSTER-021", MUST, budget=25)
def a_lost_network_hangs_nothing(case: ClusterCase) -> None:
    """When the notebook's network was lost for a while, it goes on or raises; nothing hangs.

    Every connection between the notebook and the scheduler breaks, and none can be
    made for half a second. After that a task, scale() and close() must each return or
    raise in time.
    """
    cluster, client = case.working(1)
    case.did("the network is lost for half a second")
    with cut_off(case.get(cluster, "scheduler_address")) as broken:
        time.sleep(0.5 * case.patience)
    case.saw(f"{broken[0]} connections were broken")
    calls = {
        "a task": lambda: client.submit(pow, 2, 3, pure=False).result(SOON * case.patience),
        "scale()": lambda: cluster.scale(0),
        "close()": cluster.close,
    }
    for name, call in calls.items():
        began = time.monotonic()
        value, error = case.attempt(name, call)
        seconds = time.monotonic() - began
        if name == "a task" and error is None:
            case.require(value == 8, f"pow(2, 3) came back as {value!r}")
        case.within(seconds, 1.5 * SOON, f"{name} answered after")
    if case.suite.has("alive"):
        case.nothing_left("after close()")


@clause("CLUSTER-022", MUST, needs="own_scheduler", hooks="alive kill", guards="money")
def a_lost_scheduler_is_noticed(case: ClusterCase) -> None:
    """When the scheduler is killed, the status says so, calls raise, and the workers go."""
    from distributed import Client

    cluster, client = case.working(1)
    case.settled(client, 1)
    schedulers = case.parts("scheduler")
    case.require(schedulers, "the backend has no scheduler outside of the notebook")
    case.did("the scheduler is killed")
    for part in schedulers:
        case.hook("kill", part)
    case.until(
        lambda: status(cluster) in ("failed", "closing", "closed", "stopped"),
        SOON,
        f"the status stayed {status(cluster)!r}",
    )
    case.said(f"status = {status(cluster)}")
    _, error = case.attempt("Client(cluster)", lambda: Client(cluster, timeout=0.7 * case.patience))
    case.require(error is not None, "a cluster without a scheduler let a new client in")
    _, error = case.attempt(
        "a task", lambda: client.submit(pow, 2, 3, pure=False).result(0.7 * case.patience)
    )
    case.require(error is not None, "a task was computed without a scheduler")
    case.nothing_left("after the scheduler's end")


def status(cluster: Any) -> str:
    """A cluster's status in one word."""
    found = getattr(cluster, "status", "")
    return str(getattr(found, "name", found)).lower()


@clause("CLUSTER-023", MUST, needs="remote", hooks="alive fault reap", guards="money", budget=25)
def close_without_the_backend(case: ClusterCase) -> None:
    """close() with the backend out of reach ends within a bound; reap() does the rest later."""
    cluster = case.make(1)
    case.until(lambda: case.parts("worker"), SOON, "there was no worker")
    with case.fault("unreachable"):
        began = time.monotonic()
        case.attempt("close()", cluster.close)
        seconds = time.monotonic() - began
    case.within(seconds, 2 * SOON, "close() took")
    case.did("the backend can be reached again, and reap()")
    case.hook("reap")
    case.nothing_left("after reap()")


@clause("CLUSTER-028", SHOULD, needs="reattach", hooks="alive reattach")
def a_cluster_is_found_again(case: ClusterCase) -> None:
    """With shutdown_on_close=False a cluster outlives its notebook, and is found by its name.

    Seen: dask-kubernetes#859 https://github.com/dask/dask-kubernetes/issues/859
    """
    suite: Any = case.suite

    def leave() -> str:
        cluster = suite.make("ada", case.unit, shutdown_on_close=False)
        with cluster.get_client() as client:
            client.wait_for_workers(1, timeout=SOON * case.patience)
        cluster.close()
        return str(cluster.name)

    case.did("another notebook makes a cluster that is to outlive it, and ends")
    first = case.notebook(leave)
    first.leave()
    case.require(first.wait(SOON * case.patience) == 0, "the notebook did not end in order")
    case.require(case.parts("worker"), "the cluster ended with its notebook")
    cluster = case.call("reattach()", suite.reattach, "ada", first.value)
    client = case.client(cluster)
    case.settled(client, 1)
    case.equal(case.compute(client, pow, 2, 6), 64, "pow(2, 6) came back as")
    case.shut(cluster)
    case.nothing_left("after close()")


@clause("CLUSTER-032", MUST, hooks="alive", guards="money", budget=25)
def stopping_the_server_stops_its_clusters(case: ClusterCase) -> None:
    """Stopping the user's server ends the clusters of its notebooks, or they can be listed.

    A server is stopped by SIGTERM. Where an end is claimed, everything is gone
    within that time; where it is declined, the adapter lists what is left to its owner.

    Seen: pangeo-eosc#8 https://github.com/pangeo-data/pangeo-eosc/issues/8
    """
    seconds = case.claims("reaps_on_client_death")
    if seconds is not None:
        _notebook_ends(case, signal.SIGTERM, float(seconds))
        return
    notebook = case.at_work()
    case.did("the notebook gets SIGTERM")
    notebook.signal(signal.SIGTERM)
    case.until(lambda: notebook.wait(0) is not None, SOON, "the notebook did not end")
    time.sleep(0.5 * case.patience)
    if case.parts("worker"):
        left = list(case.hook("list_clusters", "ada"))
        case.require(left, "a cluster outlived its server, and the adapter lists none to its owner")
