"""Clusters of which something is left: CLUSTER-008 to 011, 014."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from distributed.core import Status

from examples.cluster.toycluster.client import Refused, ask
from greyhub.conformance.mutation import mutant
from tests.conformance.cluster.suites import Toy, ToyKept
from tests.conformance.cluster.toy.cluster import Job, SchedulerJob, ToyCluster


@mutant("CLUSTER-008", Toy)
class LeavesItToTheLease(ToyCluster):
    """Closed is what is not renewed: what it costs until then is little."""

    async def _end(self) -> None:
        pass


@mutant("CLUSTER-008", Toy)
class LeavesTheScheduler(ToyCluster):
    """Ends the workers, and not the scheduler."""

    async def _end(self) -> None:
        with suppress(OSError):
            found = await asyncio.to_thread(ask, "GET", self.place)
            for job in found["jobs"]:
                if job["kind"] == "worker":
                    await asyncio.to_thread(ask, "DELETE", f"{self.url}/jobs/{job['name']}")


@mutant("CLUSTER-009", Toy)
class ClosesOnce(ToyCluster):
    """What is closed cannot be closed again."""

    def close(self, timeout: float | None = None) -> Any:
        if self.status == Status.closed:
            raise RuntimeError("it is closed already")
        return super().close(timeout)


@mutant("CLUSTER-009", Toy)
class WantsOneThread(ToyCluster):
    """While one thread closes it, another one cannot."""

    def close(self, timeout: float | None = None) -> Any:
        if not self.asynchronous and self.closing.locked():
            raise RuntimeError("it is being closed")
        return super().close(timeout)


@mutant("CLUSTER-009", ToyKept)
class ForgottenAtExit(ToyCluster):
    """Needs a thread for its end, and when an interpreter ends there are none."""

    async def _end(self) -> None:
        with suppress(OSError):
            await asyncio.to_thread(ask, "DELETE", self.place)


class UnderWay(Job):
    starting: set[int] = set()

    async def start(self) -> None:
        self.starting.add(id(self))
        try:
            await super().start()
            await asyncio.sleep(0.3)
        finally:
            self.starting.discard(id(self))


@mutant("CLUSTER-010", Toy)
class RefusesMeanwhile(ToyCluster):
    """It cannot be closed while workers are under way."""

    job_class = UnderWay

    def close(self, timeout: float | None = None) -> Any:
        if UnderWay.starting:
            raise RuntimeError("workers are under way")
        return super().close(timeout)


@mutant("CLUSTER-010", Toy)
class LeavesWhatIsUnderWay(ToyCluster):
    """close() ends what has arrived; what has not is nobody's."""

    job_class = UnderWay

    async def _end(self) -> None:
        if UnderWay.starting:
            await asyncio.to_thread(ask, "PUT", self.place, {"keep": True})
        else:
            await super()._end()


@mutant("CLUSTER-011", Toy)
class LeavesAfterErrors(ToyCluster):
    """After an exception, someone may want to look at it."""

    def __exit__(self, *exception: Any) -> Any:
        return None if exception[0] else super().__exit__(*exception)


@mutant("CLUSTER-011", Toy)
class SwallowsErrors(ToyCluster):
    """An exception does not come out of the block."""

    def __exit__(self, *exception: Any) -> Any:
        super().__exit__(*exception)
        return True


class WithADisk(SchedulerJob):
    async def start(self) -> None:
        await asyncio.to_thread(ask, "POST", f"{self.url}/jobs", {**self.job, "kind": "disk"})
        await super().start()


@mutant("CLUSTER-014", Toy, also="CLUSTER-022 CLUSTER-025")
class LeavesItsDisk(ToyCluster):
    """When the scheduler does not come up, the disk that was made for it stays."""

    scheduler_class = WithADisk
    of_cluster = {"stubborn": True}

    stranded = False

    async def _end(self) -> None:
        self.stranded |= self.status in (Status.starting, Status.failed)
        if self.stranded:
            with suppress(OSError):
                await asyncio.to_thread(ask, "PUT", self.place, {"keep": True})
        else:
            await super()._end()


class Stranded(Job):
    refused: set[str] = set()

    async def start(self) -> None:
        try:
            await super().start()
        except Refused:
            self.refused.add(self.job["labels"]["cluster"])
            raise


@mutant("CLUSTER-014", Toy)
class LeavesTheFirst(ToyCluster):
    """Where there is no room for the second worker, the first one is forgotten."""

    job_class = Stranded

    async def _end(self) -> None:
        if self.name in Stranded.refused:
            with suppress(OSError):
                await asyncio.to_thread(ask, "PUT", self.place, {"keep": True})
        else:
            await super()._end()


@mutant("CLUSTER-011", Toy)
class LeavesWhenInterrupted(ToyCluster):
    """An interrupt is no exception, and what it leaves is the user's."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        if kind is not None and not issubclass(kind, Exception):
            return None
        return super().__exit__(kind, error, trace)
