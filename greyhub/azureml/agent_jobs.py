"""Jobs that are agents of a Dask cluster: their files, and when they are told what to start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

SHOWN: Final = 25.0
"""Seconds for which an agent waits, at most, until Azure ML says that its job runs."""

CERTIFICATE, KEY = "dask.crt", "dask.pem"

TLS: Final = "DASK_DISTRIBUTED__COMM__TLS__"
"""What the variables begin with by which Dask is told of its files."""


def directory(job: str) -> Path:
    """The agent's directory, where the job runs."""
    return Path("/tmp") / f"greyhub-{job}"  # noqa: S108 (a job's own; made anew or the job fails)


def files(job: str) -> Path:
    """Where the agent puts what its scheduler or worker needs."""
    return directory(job) / "files"


async def await_running(
    status: Callable[[], Awaitable[str]],
    interval: float,
    wanted: Callable[[], object] = lambda: True,
) -> None:
    """Wait until Azure ML says that a job runs, or nobody wants it any more.

    Parameters
    ----------
    status : async callable
        The job's state.
    interval : float
        Seconds between two looks.
    wanted : callable
        Whether to go on.

    Raises
    ------
    TimeoutError
        It does not say so in `SHOWN` seconds.
    """
    async with asyncio.timeout(SHOWN):
        while wanted() and await status() != "Running":  # noqa: ASYNC110 (one list for all)
            await asyncio.sleep(interval)
