"""What a job of the toy cloud does: it is a scheduler, or a worker."""

from __future__ import annotations

import asyncio
from typing import Any

from distributed import Scheduler, Security, Worker

from .client import ask


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


async def worker(url: str, job: dict[str, Any], number: int) -> None:
    """A worker, until its scheduler is gone."""
    name = f"{job['spec']}-{number}" if job.get("group", 1) > 1 else job["spec"]
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


def _security(job: dict[str, Any]) -> Security | None:
    return Security(require_encryption=True, **job["security"]) if job["security"] else None
