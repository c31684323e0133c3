"""The scheduler and the workers of a Dask cluster, as `distributed.SpecCluster` has them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

from greyhub.azureml.dask_jobs import JobSource
from greyhub.azureml.errors import Refused
from greyhub.azureml.jobs import ENDED
from greyhub.errors import ClusterError
from greyhub.rendezvous.machines import Machine
from greyhub.rendezvous.offers import MachineFailed


class Job(ProcessInterface):  # type: ignore[misc]
    """A scheduler or a worker.

    Parameters
    ----------
    source : JobSource
        By whom it is submitted.
    said : mapping
        What Azure ML is asked for, for this one.
    words : sequence of str
        The command of Dask's.
    """

    status: Any

    def __init__(
        self,
        scheduler: str = "",
        *,
        source: JobSource,
        said: Mapping[str, Any],
        words: Sequence[str],
        name: object = None,
    ) -> None:
        super().__init__()
        self.source, self.said, self.words, self.name = source, said, list(words), name
        part = "scheduler" if name is None else f"worker-{name}"
        # A name is never another job's, also not that of one that has ended.
        self.job = f"dask-{source.name}-{part}-{secrets.token_hex(4)}"
        self.machine: Machine | None = None
        if scheduler:
            self.words += [scheduler, "--name", str(name)]
        self._watching: asyncio.Task[None] | None = None
        self._asked = False
        """Whether there may be a job."""

    async def start(self) -> None:
        """Submit the job."""
        self._asked = True
        try:
            self.machine = await self.source.submit(self.job, self.said, self.words)
        except Refused:
            self._asked = False
            raise
        self._watching = asyncio.ensure_future(self._watch())
        await super().start()

    async def _watch(self) -> None:
        """Note the job's end, whoever has ended it."""
        machine = self.machine
        assert machine is not None
        while not machine.over and machine.status is None:
            if await self.source.status(self.job) in ENDED:
                break
            await asyncio.sleep(self.source.workspace.settings.poll_interval)
        if self.status == Status.running:
            self.status = Status.failed
        self._event_finished.set()

    @property
    def reason(self) -> str:
        """Why it has ended, where that is known."""
        return self.machine.reason if self.machine else ""

    async def close(self) -> None:
        """End the job."""
        if self.status in (Status.closed, Status.closing):
            return
        self.status = Status.closing
        if self._watching:
            self._watching.cancel()
        if self._asked:
            await self.source.end(self.job)
        await super().close()


class SchedulerJob(Job):
    """The scheduler: it is there when it listens."""

    async def start(self) -> None:
        """Submit the job, and wait until the scheduler listens."""
        try:
            await self.source.start()
            await super().start()
            assert self.machine is not None
            async with asyncio.timeout(self.source.seconds):
                host, port = await self._ready(self.machine)
        except TimeoutError:
            status = await self.source.status(self.job)
            await self.close()
            raise ClusterError(
                f"the scheduler did not start in {self.source.seconds:g} s; its job {self.job} was "
                f"in the state {status}.\n  fix: if it ran, jobs must reach this machine at "
                f"{self.source.server.url}: give its address as they reach it, host=…"
            ) from None
        except BaseException:
            await self.close()
            raise
        self.address = f"tls://[{host}]:{port}" if ":" in host else f"tls://{host}:{port}"

    async def _ready(self, machine: Machine) -> tuple[str, int]:
        """Where it listens, unless its job ends before it does."""
        ready = asyncio.ensure_future(machine.await_ready())
        ended = asyncio.ensure_future(self.finished())
        try:
            await asyncio.wait((ready, ended), return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                return ready.result()
            said = self.reason or "its output is in Azure ML Studio"
            raise ClusterError(f"the scheduler's job {self.job} has ended: {said}")
        except MachineFailed as error:
            raise ClusterError(f"the scheduler has ended: {error}") from error
        finally:
            ready.cancel()
            ended.cancel()

    async def close(self) -> None:
        """End the job, the last one: nobody asks for anything any more."""
        if self.status not in (Status.closed, Status.closing):
            await super().close()
            await self.source.stop()
