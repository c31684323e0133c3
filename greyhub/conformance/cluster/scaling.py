"""CLUSTER-003 to 005, 026, 030: scale() gives as many workers as were asked for."""

from __future__ import annotations

import time
import warnings

from greyhub.conformance.cluster.case import SOON, ClusterCase
from greyhub.conformance.contract import MUST, SHOULD, clause


@clause("CLUSTER-003", MUST, hooks="alive", guards="money")
def scale_up_and_down(case: ClusterCase) -> None:
    """scale(n) goes up, down, to none and up again; backend and scheduler agree each time.

    Seen: dask-kubernetes#27 https://github.com/dask/dask-kubernetes/issues/27
    Seen: dask-gateway#252 https://github.com/dask/dask-gateway/issues/252
    """
    cluster, client = case.working(0)
    for number in (2, 1, 0, 1):
        case.scale(cluster, number)
        case.settled(client, number)


@clause("CLUSTER-004", MUST, hooks="alive", guards="money")
def scale_is_a_target(case: ClusterCase) -> None:
    """scale(n) is a target, not an increment: saying it again changes nothing.

    It is said again while the workers are under way, when more were asked for a
    moment before, and when they are there.
    """
    cluster, client = case.working(0)
    for number in (2, 1, 1):
        case.scale(cluster, number)
    case.settled(client, 1)
    for _ in range(3):
        case.scale(cluster, 1)
    most, deadline = 0, time.monotonic() + 0.7 * case.patience
    while time.monotonic() < deadline:
        most = max(most, len(case.parts("worker")), len(case.workers(client)))
        time.sleep(0.05)
    case.saw(f"{most} workers at most")
    case.require(most == case.unit, f"scale() of {case.unit}, said again, made {most}")


@clause("CLUSTER-005", SHOULD, hooks="alive")
def results_survive_scaling_down(case: ClusterCase) -> None:
    """Scaling down retires workers: results in their memory move, and are not lost.

    Seen: distributed#4069 https://github.com/dask/distributed/issues/4069: SpecCluster retires
      workers by names that the scheduler takes for addresses, and still does in 2026.8.0
    """
    cluster, client = case.working(2)
    case.settled(client, 2)

    def compute() -> list[object]:
        # Each is unlike any other run of it: what is computed again shows.
        function = lambda n: (n, __import__("time").time(), __import__("os").urandom(8))  # noqa: E731
        futures = client.map(function, range(30), pure=False)
        held.extend(futures)
        return list(client.gather(futures))

    held: list[object] = []
    before = case.call("30 tasks", compute)
    case.scale(cluster, 1)
    case.settled(client, 1)
    after = case.call("their results", lambda: client.gather(held))
    lost = sum(one != other for one, other in zip(before, after, strict=True))
    case.require(not lost, f"{lost} of 30 results were lost, and had to be computed again")


@clause("CLUSTER-026", MUST, needs="quota", hooks="alive", guards="money")
def the_quota_holds(case: ClusterCase) -> None:
    """Whoever asks for more than the maximum gets at most that, and is told; nothing restarts.

    Told: by an exception, a warning, or a line in the log that names the number.
    adapt(), where there is one, may be asked for more as well, and gives no more.

    Seen: dask-jobqueue#249 https://github.com/dask/dask-jobqueue/issues/249
    """
    most = int(case.claims("quota"))
    cluster, client = case.working(0)
    case.did(f"scale({most + 7})")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        _, refused = case.attempt("scale()", cluster.scale, most + 7)
        told = str(refused or next((each.message for each in warned), ""))
        case.said(told or "nothing")
    now, seen = _seen(case, most)
    told = told or next(iter(case.log.holding(f"{most}")), "")
    case.require(now <= most, f"{now} workers at one time, where {most} are the most")
    case.require(seen <= most, f"{seen} workers were made one after the other")
    case.require(told, f"scale({most + 7}) gave at most {most}, and nobody was told")
    if not refused:
        case.settled(client, most // case.unit)
    if case.claims("adaptive"):
        for limits in ({"minimum": most + 1, "maximum": most + 7}, {"minimum": 0}):
            told = ", ".join(f"{name}={value}" for name, value in limits.items())
            case.did(f"adapt({told}), with 60 tasks")
            case.attempt("adapt()", lambda given=limits: cluster.adapt(**given))
            work = client.map(time.sleep, [0.3] * 60, pure=False)
            now, _ = _seen(case, most)
            client.cancel(work)
            case.require(now <= most, f"adapt({told}) made {now} workers, {most} are the most")


def _seen(case: ClusterCase, most: int) -> tuple[int, int]:
    """How many workers there are at one time within a second, and how many in all."""
    seen: set[str] = set()
    now, deadline = 0, time.monotonic() + 1.0 * case.patience
    while time.monotonic() < deadline:
        parts = case.parts("worker")
        seen |= {part.id for part in parts}
        now = max(now, len(parts))
        if len(seen) > most:
            break
        time.sleep(0.05)
    case.saw(f"{now} workers at one time, {len(seen)} in all")
    return now, len(seen)


@clause("CLUSTER-030", SHOULD, needs="groups", hooks="alive kill")
def a_group_may_lose_a_worker(case: ClusterCase) -> None:
    """Where a job holds several workers, the loss of one does not confuse the accounts.

    After one worker of a job was killed, scale(0) ends the others, and a new job
    has all of its workers.

    Seen: dask-jobqueue#498 https://github.com/dask/dask-jobqueue/issues/498
    """
    cluster, client = case.scaled(1)
    before = case.workers(client)
    case.did("one worker of the job is killed")
    case.hook("kill", case.parts("worker")[0])
    case.until(lambda: not before <= case.workers(client), SOON, "the loss was not noticed")
    time.sleep(0.5 * case.patience)  # for whoever would now restart something
    for number in (0, 1):
        case.scale(cluster, number)
        case.settled(client, number)
