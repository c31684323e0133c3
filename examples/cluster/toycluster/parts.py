"""A cluster's parts from the notebook's side: jobs of the cloud."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

from .client import Refused, ask


class Job(ProcessInterface):  # type: ignore[misc]
    """A job of the cloud, from the notebook's side."""

    def __init__(
        self, address: str = "", *, url: str, job: dict[str, Any], name: Any = None
    ) -> None:
        super().__init__()
        self.url = url
        command = [f"toy-{job['kind']}", str(name)]
        self.job = {**job, "scheduler": address, "spec": name, "command": command}
        self.id = ""

    async def start(self) -> None:
        """Ask the cloud for it."""
        answer = await asyncio.to_thread(ask, "POST", f"{self.url}/jobs", self.job)
        self.id = answer["name"]
        self.status = Status.running

    async def close(self) -> None:
        """Have the cloud end it."""
        if self.id and self.status != Status.closed:
            with suppress(OSError):
                await asyncio.to_thread(ask, "DELETE", f"{self.url}/jobs/{self.id}")
        await super().close()


class SchedulerJob(Job):
    """The job that is the scheduler."""

    async def start(self) -> None:
        """Wait until it has an address."""
        await super().start()
        for _ in range(200):
            with suppress(Refused):
                job = await asyncio.to_thread(ask, "GET", f"{self.url}/jobs/{self.id}")
                if job["address"]:
                    self.address = job["address"]
                    return
                await asyncio.sleep(0.02)
                continue
            break
        self.status = Status.failed
        raise RuntimeError("the scheduler did not come up")


class Found(Job):
    """A job that another notebook has begun."""

    def __init__(self, *args: Any, known: str, found: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.id, self.address = known, found

    async def start(self) -> None:
        """It runs."""
        self.status = Status.running
