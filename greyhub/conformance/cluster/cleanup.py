"""CLUSTER-008 to 011, 014, 029: nothing that costs money is left behind."""

from __future__ import annotations

import threading
import time

from greyhub.conformance.cluster.case import SOON, ClusterCase
from greyhub.conformance.contract import MUST, SHOULD, clause


@clause("CLUSTER-008", MUST, hooks="alive", guards="money")
def close_ends_everything(case: ClusterCase) -> None:
    """close() ends the workers, the scheduler and all else that was begun for the cluster.

    Seen: dask-kubernetes#364 https://github.com/dask/dask-kubernetes/issues/364
    """
    cluster = case.make(2)
    case.settled(case.client(cluster), 2)
    case.shut(cluster)
    case.nothing_left("after close()", 2.0, stays=0.3)


@clause("CLUSTER-009", MUST, hooks="alive kill", guards="money")
def close_may_be_called_again(case: ClusterCase) -> None:
    """close() is idempotent: twice, by many at once, after a failure, and at exit.

    A notebook that has forgotten its cluster comes to its end: it ends within five
    seconds, in order, and nothing is left.

    Seen: distributed#1170 https://github.com/dask/distributed/pull/1170
    Seen: distributed#4116 https://github.com/dask/distributed/pull/4116
    """
    notebook = case.at_work()
    case.did("the notebook comes to its end")
    notebook.leave()
    status = notebook.wait(SOON * case.patience)
    case.said(f"its exit status is {status}")
    case.require(status is not None, "a notebook with a forgotten cluster did not end")
    case.require(status == 0, f"a notebook with a forgotten cluster ended with {status}")
    case.nothing_left("after the notebook's end")

    cluster = case.make(1)
    case.settled(case.client(cluster), 1)
    case.did("a worker is killed")
    case.hook("kill", case.parts("worker")[0])
    errors: list[BaseException] = []
    together = threading.Barrier(6)

    def close() -> None:
        together.wait(SOON)
        try:
            case.call("close()", cluster.close)
        except BaseException as error:
            errors.append(error)

    case.did("close() by six threads at once, and once again")
    threads = [threading.Thread(target=close, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON * case.patience)
        case.require(not thread.is_alive(), "close(), called by six at once, did not return")
    case.require(not errors, f"close(), called by six at once, raised {errors[:1]}")
    case.shut(cluster)
    case.nothing_left("after close()")


@clause("CLUSTER-010", MUST, hooks="alive", guards="money")
def close_while_scaling(case: ClusterCase) -> None:
    """close() while workers are under way ends, and none of them arrives later.

    Seen: distributed#5876 https://github.com/dask/distributed/issues/5876 (open)
    """
    cluster = case.make(0)
    case.scale(cluster, 2)
    case.shut(cluster)
    case.nothing_left("after close() while it scaled up", stays=0.5)

    cluster = case.make(0)
    case.scale(cluster, 2)
    time.sleep(case.random.uniform(0.02, 0.2))
    case.shut(cluster)
    case.nothing_left("after close() a moment later", stays=0.3)


@clause("CLUSTER-011", MUST, hooks="alive", guards="money")
def an_exception_releases_all(case: ClusterCase) -> None:
    """An exception inside a with block comes out of it, and everything is released.

    Also when a user interrupts the notebook, and in an asynchronous block.
    """

    class Interrupt(KeyboardInterrupt):
        pass

    came: BaseException | None = None
    try:
        with case.make(1) as cluster:
            case.settled(case.client(cluster), 1)
            case.did("the block is interrupted")
            raise Interrupt
    except Interrupt as error:
        came = error
    case.require(came is not None, "the interrupt did not come out of the block")
    case.nothing_left("after the block")

    class Oops(Exception):
        pass

    async def use() -> None:
        async with case.make(0, asynchronous=True):
            case.did("an exception in an asynchronous block")
            raise Oops

    with case.loop() as (run, _):
        _, came = case.attempt("an asynchronous block", run, use())
    case.require(isinstance(came, Oops), f"out of the asynchronous block came {came!r}")
    case.nothing_left("after the asynchronous block")


@clause("CLUSTER-014", MUST, hooks="alive fault", guards="money", budget=25)
def a_failed_start_leaves_nothing(case: ClusterCase) -> None:
    """A start that fails half-way raises within a bound and leaves nothing.

    First no scheduler comes up; then there is capacity for one worker of two.
    The second may also end in a cluster that works with one worker: asking for
    workers is no promise, in Dask's protocol, that they are there.

    Seen: dask-cloudprovider#365 https://github.com/dask/dask-cloudprovider/issues/365
    Seen: dask-cloudprovider#262 https://github.com/dask/dask-cloudprovider/issues/262
    Seen: dask-cloudprovider#277 https://github.com/dask/dask-cloudprovider/issues/277
    """
    with case.fault("scheduler"):
        began = time.monotonic()
        made, error = case.attempt("making it", case.make, 0)
        seconds = time.monotonic() - began
    case.require(error is not None, f"no scheduler came up, and yet there is {made!r}")
    case.within(seconds, 2 * SOON, "it failed after")
    case.nothing_left("after a start without a scheduler")
    with case.fault("full", room=1):
        began = time.monotonic()
        cluster, error = case.attempt("making it", case.make, 2)
        seconds = time.monotonic() - began
        case.within(seconds, 2 * SOON, "it took")
        if error is None:
            client = case.client(cluster)
            case.until(lambda: case.workers(client), SOON, "one worker had room, and none came")
            case.equal(case.compute(client, pow, 2, 5), 32, "pow(2, 5) came back as")
            case.shut(cluster)
        case.nothing_left("after a start with room for one worker of two", stays=0.3)


@clause("CLUSTER-029", SHOULD, needs="idle_timeout", hooks="alive")
def a_forgotten_cluster_ends(case: ClusterCase) -> None:
    """A cluster without work ends itself, and everything of it, after the idle timeout.

    Seen: dask-cloudprovider#202 https://github.com/dask/dask-cloudprovider/issues/202
    """
    case.override(case.claims("idle_timeout"))
    cluster = case.make(1)
    case.until(lambda: case.parts("worker"), SOON, "there was no worker")
    case.did("nothing, for a while")
    case.nothing_left(f"without work, {cluster!r} went on", SOON)
