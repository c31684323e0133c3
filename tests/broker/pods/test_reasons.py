"""Why a scheduler or a worker does not run, in words."""

from __future__ import annotations

import asyncio
from typing import Any

from dask_gateway_server.backends.db_base import JobStatus

from tests.broker.pods.helpers import (
    cluster_of,
    container,
    seen,
    start,
    start_worker,
)
from tests.support.api_server import ApiServer
from tests.support.waiting import MINUTE


def ended(name: str, status: int, reason: str = "Error") -> dict[str, Any]:
    state = {"terminated": {"exitCode": status, "reason": reason}}
    return {"phase": "Failed", "containerStatuses": [container(name, **state)]}


async def test_it_is_said_why_a_scheduler_does_not_run(server: ApiServer, broker: Any) -> None:
    backend = await broker()
    cluster = cluster_of(backend)
    assert await backend.do_reason(cluster) == ""
    await start(backend, cluster)
    name = backend.parts.scheduler_name(cluster)
    server.put(
        "events",
        {
            "metadata": {"name": "e"},
            "involvedObject": {"name": name},
            "reason": "Pulling",
            "message": 'Pulling image "lab:1"',
        },
    )
    assert 'Pulling image "lab:1"' in await backend.do_reason(cluster)
    full = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    server.status(name, phase="Pending", conditions=[full])
    async with asyncio.timeout(MINUTE):
        while "no node has room for the scheduler: 0/1" not in await backend.do_reason(cluster):
            await backend.watch.change(f"n/{name}", 1)
    server.logs[name] = "ModuleNotFoundError: No module named 'dask'"
    server.status(name, **ended("scheduler", 1))
    await seen(backend, name, "Failed")
    said = await backend.do_reason(cluster)
    assert "the scheduler ended with status 1" in said
    assert "No module named 'dask'" in said


async def test_it_is_said_why_a_worker_has_ended_also_when_it_is_gone(
    server: ApiServer, broker: Any
) -> None:
    backend = await broker()
    cluster = cluster_of(backend)
    await start(backend, cluster)
    scheduler = backend.parts.scheduler_name(cluster)
    server.status(scheduler, phase="Running")
    await seen(backend, scheduler, "Running")
    assert "has not told the broker" in await backend.do_reason(cluster)
    backend.db.update_cluster(cluster, status=JobStatus.RUNNING)
    assert await backend.do_reason(cluster) == ""
    worker = backend.db.create_worker(cluster)
    await start_worker(backend, worker)
    name = backend.parts.worker_name(worker)
    server.status(name, **ended("worker", 137, "OOMKilled"))
    await seen(backend, name, "Failed")
    killed_for = "the worker was killed for memory: it used more than its limit of 1.0 GiB"
    assert killed_for in await backend.do_reason(cluster)
    backend.db.update_worker(worker, target=JobStatus.FAILED)
    await backend.do_stop_worker(worker)
    assert killed_for in await backend.do_reason(cluster)
    assert "worker_memory" in await backend.do_reason(cluster)
