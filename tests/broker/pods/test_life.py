"""Clusters of pods: made once whatever happens, gone when that is confirmed, alive in doubt."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from dask_gateway_server.backends.base import PublicException

from greyhub.broker import pods
from greyhub.broker.pod_cluster_manifest import GRACE
from greyhub.kubernetes.ending import StillThere
from greyhub.kubernetes.requests import Unreachable
from tests.broker.pods.helpers import (
    cluster_of,
    container,
    eventually,
    everything,
    killed,
    seen,
    start,
    start_worker,
)
from tests.support.api_server import ApiServer
from tests.support.waiting import MINUTE


async def test_what_is_secret_is_in_the_secret_alone(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    cluster = cluster_of(backend)
    await start(backend, cluster)
    await start_worker(backend, backend.db.create_worker(cluster))
    [secret] = server.objects["secrets"].values()
    assert secret["stringData"]["DASK_GATEWAY_API_TOKEN"] == cluster.token
    assert secret["stringData"]["SECRET"] == "hush-hush"
    assert "PRIVATE KEY" in secret["stringData"]["dask.pem"]
    assert len(server.names("pods")) == 2
    for pod in server.objects["pods"].values():
        for hidden in (cluster.token, "hush-hush", "PRIVATE KEY", "BEGIN CERTIFICATE"):
            assert hidden not in str(pod)
            assert base64.b64encode(hidden.encode()).decode() not in str(pod)
        [owner] = pod["metadata"]["ownerReferences"]
        assert owner["uid"] == secret["metadata"]["uid"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("then", ["start", "stop"])
async def test_a_start_that_is_killed_at_any_request(
    server: ApiServer, broker: Any, when: str, then: str
) -> None:
    for number in range(1, 9):
        backend = await broker()
        cluster = cluster_of(backend)
        if not await killed(server, start(backend, cluster), number, when):
            assert number > 2
            break
        again = await broker()
        if then == "start":
            await start(again, cluster)
            await start(again, cluster)
            assert len(server.names("pods")) == len(server.names("secrets")) == 1
            worker = again.db.create_worker(cluster)
            assert await killed(server, start_worker(again, worker), 1, when)
            await start_worker(again, worker)
            assert len(server.names("pods")) == 2
            await again.do_stop_worker(worker)
            assert len(server.names("pods")) == 1
        await again.do_stop_cluster(cluster)
        assert everything(server) == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_stop_that_is_killed_at_any_request(
    server: ApiServer, broker: Any, when: str
) -> None:
    for number in range(1, 20):
        backend = await broker()
        cluster = cluster_of(backend)
        await start(backend, cluster)
        await start_worker(backend, backend.db.create_worker(cluster))
        reached = await killed(server, backend.do_stop_cluster(cluster), number, when)
        await (await broker()).do_stop_cluster(cluster)
        assert everything(server) == []
        if not reached:
            assert number > 4
            return
    raise AssertionError("a stop that has no end")


async def test_what_was_never_made_is_ended(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    cluster = cluster_of(backend)
    await backend.do_stop_worker(backend.db.create_worker(cluster))
    await backend.do_stop_cluster(cluster)
    assert everything(server) == []


async def test_a_pod_of_another_is_not_taken(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    cluster = cluster_of(backend)
    name = backend.parts.scheduler_name(cluster)
    server.put("pods", {"metadata": {"name": name}})
    with pytest.raises(PublicException, match="another pod"):
        await start(backend, cluster)


@pytest.mark.parametrize(("status", "said"), [("403", "does not allow it"), ("422", "no: 422")])
async def test_a_refusal_is_said(server: ApiServer, broker: Any, status: str, said: str) -> None:
    backend = await broker()
    server.hook = lambda method, path: status if method == "POST" and "pods" in path else None
    with pytest.raises(PublicException, match=said):
        await start(backend, cluster_of(backend))


async def test_an_api_server_that_is_busy_is_no_refusal(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    server.hook = lambda method, path: "503" if method == "POST" else None
    with pytest.raises(Unreachable):
        await start(backend, cluster_of(backend))


# End.


async def test_a_stop_returns_only_when_all_is_gone(
    server: ApiServer, broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = await broker()
    cluster = cluster_of(backend)
    await start(backend, cluster)
    worker = backend.db.create_worker(cluster)
    await start_worker(backend, worker)
    server.stuck |= set(server.names("pods"))
    monkeypatch.setattr(pods, "MARGIN_TO_END", 0.2 - GRACE)
    with pytest.raises(StillThere):
        await backend.do_stop_worker(worker)
    with pytest.raises(StillThere):
        await backend.do_stop_cluster(cluster)
    monkeypatch.setattr(pods, "MARGIN_TO_END", MINUTE)
    server.stuck.clear()
    server.hook = lambda method, path: "500" if method == "GET" else None
    with pytest.raises(Unreachable):
        await backend.do_stop_cluster(cluster)
    server.hook = lambda method, path: None
    await backend.do_stop_cluster(cluster)
    assert everything(server) == []


async def test_what_no_cluster_claims_is_ended(server: ApiServer, broker: Any) -> None:
    backend, other = await broker(), await broker(hub_id="two")
    mine, gone, theirs = cluster_of(backend), cluster_of(backend), cluster_of(other)
    for each, cluster in ((backend, mine), (backend, gone), (other, theirs)):
        await start(each, cluster)
    server.put("secrets", {"metadata": {"name": "users", "labels": {}}})
    lost = backend.parts.scheduler_name(gone)
    left = {backend.parts.scheduler_name(mine), other.parts.scheduler_name(theirs)}
    assert await backend.do_end_unknown([mine.name]) == [lost]
    assert set(server.names("pods")) == left
    assert set(server.names("secrets")) == {
        backend.parts.secret_name(mine),
        other.parts.secret_name(theirs),
        "users",
    }
    # A Secret alone, whose creation was held up until after its cluster's end.
    server.put("secrets", server.objects["secrets"][backend.parts.secret_name(mine)])
    server.remove("pods", backend.parts.scheduler_name(mine))
    assert await backend.do_end_unknown([]) == []
    assert set(server.names("secrets")) == {other.parts.secret_name(theirs), "users"}


async def test_what_is_made_while_it_is_looked_for_is_known(server: ApiServer, broker: Any) -> None:
    """The question after the list: the cluster that was started in between is no orphan."""
    backend = await broker()
    known: list[str] = []

    class Known(list[str]):
        def __contains__(self, name: object) -> bool:
            return name in known

        def __iter__(self) -> Any:
            return iter(known)

    cluster = cluster_of(backend)

    def hook(method: str, path: str) -> str | None:
        if method == "GET" and "limit" not in path and "watch" not in path:
            known.append(cluster.name)
        return None

    await start(backend, cluster)
    server.hook = hook
    assert await backend.do_end_unknown(Known()) == []
    assert len(everything(server)) == 2


async def test_no_secret_is_made_while_others_are_deleted(server: ApiServer, broker: Any) -> None:
    """It would be deleted with them: its cluster was not known when they were named."""
    backend = await broker()
    server.hook = lambda method, path: "hold" if method == "DELETE" else None
    asked = len(server.requests)
    sweep = asyncio.ensure_future(backend.do_end_unknown([]))
    await eventually(lambda: "DELETE" in [method for method, _ in server.requests[asked:]])
    begun = asyncio.ensure_future(start(backend, cluster_of(backend)))
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert server.names("secrets") == []
    server.released.set()
    await sweep
    await begun
    assert len(everything(server)) == 2


# Do they live?


async def test_the_dead_are_told_from_the_living(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    states: dict[str, Any] = {
        "Pending": {},
        "Running": {},
        "Failed": {},
        "Succeeded": {},
        "gone": {},
        "image": {},
    }
    clusters = {phase: cluster_of(backend) for phase in states}
    for phase, cluster in clusters.items():
        await start(backend, cluster)
        name = backend.parts.scheduler_name(cluster)
        if phase == "gone":
            server.remove("pods", name)
        elif phase == "image":
            waiting = {"reason": "ErrImagePull", "message": "manifest unknown"}
            server.status(
                name,
                phase="Pending",
                containerStatuses=[container("scheduler", waiting=waiting)],
            )
        else:
            server.status(name, phase=phase)
    alive = await backend.do_check_clusters(list(clusters.values()))
    assert dict(zip(clusters, alive, strict=True)) == {
        "Pending": True,
        "Running": True,
        "Failed": False,
        "Succeeded": False,
        "gone": False,
        "image": False,
    }


async def test_doubt_is_not_death(server: ApiServer, broker: Any) -> None:
    server.hook = lambda method, path: "500"
    backend = await broker()
    cluster = cluster_of(backend)
    worker = backend.db.create_worker(cluster)
    assert await backend.do_check_clusters([cluster]) == [True]
    assert await backend.do_check_workers([worker]) == [True]
    server.hook = lambda method, path: "403"
    assert await backend.do_check_clusters([cluster]) == [True]


async def test_checks_are_few_requests(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    cluster = cluster_of(backend)
    await start(backend, cluster)
    workers = [backend.db.create_worker(cluster) for _ in range(20)]
    for each in workers:
        await start_worker(backend, each)
    for each in workers:
        await seen(backend, backend.parts.worker_name(each), "Pending")
    before = len(server.requests)
    assert all(await backend.do_check_workers(workers))
    assert len(server.requests) == before
    lost = [*workers, backend.db.create_worker(cluster), backend.db.create_worker(cluster)]
    assert (await backend.do_check_workers(lost))[-2:] == [False, False]
    assert len(server.requests) == before + 1
