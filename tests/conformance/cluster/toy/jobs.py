"""What a job of the toy cloud does: it is a scheduler, or a worker."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

import dask
from distributed import Scheduler, Security, Worker, versions


def ask(method: str, url: str, body: Any = None, timeout: float = 3.0) -> Any:
    """A request to the cloud; raises OSError with its message if it says no."""
    content = json.dumps(body).encode()
    request = urllib.request.Request(url, content if body is not None else None, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        message = (json.loads(error.read() or b"{}") or {}).get("message", error.reason)
        raise Refused(error.code, str(message)) from None


class Refused(OSError):
    """The cloud says no."""


async def scheduler(url: str, job: dict[str, Any], number: int) -> None:
    """A scheduler, until it is idle for too long."""
    if job["broken"]:
        return
    async with Scheduler(
        host="127.0.0.1",
        port=0,
        dashboard=False,
        dashboard_address="127.0.0.1:0",
        idle_timeout=job["idle_timeout"],
        security=_security(job),
    ) as made:
        await asyncio.to_thread(ask, "PUT", f"{url}/jobs/{job['name']}", {"address": made.address})
        await made.finished()


async def disk(url: str, job: dict[str, Any], number: int) -> None:
    """Something that costs money and does nothing."""
    await asyncio.Event().wait()


async def worker(url: str, job: dict[str, Any], number: int) -> None:
    """A worker, until its scheduler is gone."""
    name = f"{job['spec']}-{number}" if job.get("group", 1) > 1 else job["spec"]
    if "dask" in job:
        told = versions.get_package_info
        versions.get_package_info = lambda packages: {**told(packages), "dask": job["dask"]}
    if job.get("paused"):
        dask.config.set({"distributed.worker.memory.pause": 1e-9})
    async with Worker(
        job["scheduler"],
        name=name,
        nthreads=1,
        memory_limit="1 GiB",
        death_timeout=5,
        security=_security(job),
        dashboard=False,
    ) as made:
        await made.finished()
    if job.get("lingers"):
        await disk(url, job, number)


def _security(job: dict[str, Any]) -> Security | None:
    return Security(require_encryption=True, **job["security"]) if job["security"] else None
