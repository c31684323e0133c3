"""Jobs that are broken on purpose, each when it is asked to be."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import dask
from distributed import Security, versions

from examples.cluster.toycluster import jobs


async def scheduler(url: str, job: dict[str, Any], number: int) -> None:
    """A scheduler that may let anybody in."""
    if job.get("open"):
        let_in()
    await jobs.scheduler(url, job, number)


def let_in() -> None:
    """Ask nobody for a certificate any more, in this process."""
    make = Security._get_tls_context

    def careless(self: Security, tls: Any, purpose: ssl.Purpose) -> ssl.SSLContext:
        context: ssl.SSLContext = make(self, tls, purpose)
        if purpose is ssl.Purpose.CLIENT_AUTH:
            context.verify_mode = ssl.CERT_NONE
        return context

    Security._get_tls_context = careless


async def disk(url: str, job: dict[str, Any], number: int) -> None:
    """Something that costs money and does nothing."""
    await asyncio.Event().wait()


async def worker(url: str, job: dict[str, Any], number: int) -> None:
    """A worker that may have an old Dask, rest, let anybody in, or go on without a scheduler."""
    if "dask" in job:
        told = versions.get_package_info
        versions.get_package_info = lambda packages: {**told(packages), "dask": job["dask"]}
    if job.get("open"):
        let_in()
    if job.get("paused"):
        dask.config.set({"distributed.worker.memory.pause": 1e-9})
    await jobs.worker(url, job, number)
    if job.get("lingers"):
        await disk(url, job, number)
