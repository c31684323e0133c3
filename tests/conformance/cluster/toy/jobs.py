"""Jobs that are broken on purpose, each when it is asked to be."""

from __future__ import annotations

import asyncio
from typing import Any

import dask
from distributed import versions

from greyhub.conformance.new.cluster.toycluster import jobs

scheduler = jobs.scheduler


async def disk(url: str, job: dict[str, Any], number: int) -> None:
    """Something that costs money and does nothing."""
    await asyncio.Event().wait()


async def worker(url: str, job: dict[str, Any], number: int) -> None:
    """A worker that may have an old Dask, rest, or go on without a scheduler."""
    if "dask" in job:
        told = versions.get_package_info
        versions.get_package_info = lambda packages: {**told(packages), "dask": job["dask"]}
    if job.get("paused"):
        dask.config.set({"distributed.worker.memory.pause": 1e-9})
    await jobs.worker(url, job, number)
    if job.get("lingers"):
        await disk(url, job, number)
