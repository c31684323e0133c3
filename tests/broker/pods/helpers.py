"""What the tests of a backend of pods do again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from dask_gateway_server.backends.db_base import Cluster, Worker

from greyhub.broker.options import base_settings
from greyhub.broker.pods import PodBackend
from tests.support.api_server import ApiServer
from tests.support.waiting import MINUTE

ASKED = {
    "worker_cores": 1,
    "worker_memory": 1.0,
    "idle_timeout": 0.0,
    "environment": {"SECRET": "hush-hush"},
    "python": "",
    "server": "-",
    "persist": False,
}
MOST = {"worker_cores": 8, "worker_memory": 64.0, "idle_timeout": 0.0, "python": "python"}


def cluster_of(backend: PodBackend, user: str = "ada", **settings: Any) -> Cluster:
    settings = {**base_settings(ASKED, MOST), "image": "lab:1", **settings}
    config = backend.cluster_config_class(parent=backend, **settings)
    made: Cluster = backend.db.create_cluster(user, {}, config.to_dict())
    return made


async def start(backend: PodBackend, cluster: Cluster) -> None:
    """As the reconciler does."""
    async for state in backend.do_start_cluster(cluster):
        backend.db.update_cluster(cluster, state=state)


async def start_worker(backend: PodBackend, worker: Worker) -> None:
    async for state in backend.do_start_worker(worker):
        backend.db.update_worker(worker, state=state)


def everything(server: ApiServer) -> list[str]:
    return [*server.names("pods"), *server.names("secrets")]


async def seen(backend: PodBackend, name: str, phase: str) -> None:
    """Wait until the watch has heard of a pod's phase."""
    async with asyncio.timeout(MINUTE):
        while (backend._known(name) or {"status": {}})["status"].get("phase") != phase:
            await backend.watch.change(f"n/{name}", 1)


async def eventually(ready: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(MINUTE):
        while not ready():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def killed(server: ApiServer, work: Awaitable[Any], number: int, when: str) -> bool:
    """Do a piece of work, and end it at one of its requests; whether it had that many."""
    task, seen = asyncio.ensure_future(work), len(server.requests)  # type: ignore[arg-type]
    reached = asyncio.Event()

    def hook(method: str, path: str) -> str | None:
        if "watch" in path or "limit=500" in path:  # the watch's, in a task of its own
            return None
        asked = [each for each in server.requests[seen:] if "limit=500" not in each[1]]
        if len([each for each in asked if "watch" not in each[1]]) == number:
            reached.set()
            return when
        return None

    server.hook = hook
    await asyncio.wait(
        [task, asyncio.ensure_future(reached.wait())], return_when=asyncio.FIRST_COMPLETED
    )
    for _ in range(5):
        await asyncio.sleep(0.01)  # the request is done, and its answer stays away
    server.hook = lambda method, path: None
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return reached.is_set()


def container(name: str, **state: Any) -> dict[str, Any]:
    """The status of a container."""
    known = {"image": "lab:1", "imageID": "", "ready": False, "restartCount": 0}
    return {"name": name, "state": state, **known}
