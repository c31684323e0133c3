"""Clusters of another size than was asked for: CLUSTER-003 to 007, 026."""

from __future__ import annotations

import time
from typing import Any

from distributed.core import Status
from tornado.ioloop import PeriodicCallback

from greyhub.conformance.mutation import mutant
from tests.conformance.cluster.suites import Toy
from tests.conformance.cluster.toy.cluster import Job, ToyCluster


@mutant("CLUSTER-003", Toy)
class NeverToNone(ToyCluster):
    """Keeps one worker, whatever is asked for."""

    def scale(self, n: int = 0, memory: Any = None, cores: Any = None) -> Any:
        return super().scale(max(n, 1) if self.status == Status.running else n)


class Lingering(Job):
    kept = False

    async def close(self) -> None:
        if self.kept:
            self.status = Status.closed
            return
        await super().close()


@mutant("CLUSTER-003", Toy)
class ForgetsWhatItPays(ToyCluster):
    """A worker that is scaled down computes no more, and its job goes on."""

    job_class = Lingering
    of_workers = {"lingers": True}

    def scale(self, n: int = 0, memory: Any = None, cores: Any = None) -> Any:
        for job in self.workers.values():
            job.kept = self.status == Status.running
        return super().scale(n, memory, cores)

    async def scale_down(self, workers: Any) -> None:
        for job in self.workers.values():
            job.kept = False
        await super().scale_down(workers)


@mutant("CLUSTER-004", Toy)
class CountsClicks(ToyCluster):
    """Who asks twice in a moment gets two."""

    asked = (0, 0.0)

    def scale(self, n: int = 0, memory: Any = None, cores: Any = None) -> Any:
        before, self.asked = self.asked, (n, time.monotonic())
        twice = n == before[0] and self.asked[1] - before[1] < 0.1
        return super().scale(n + 1 if twice else n)


@mutant("CLUSTER-004", Toy)
class AddsAtRest(ToyCluster):
    """Who asks for what is there gets one more."""

    def scale(self, n: int = 0, memory: Any = None, cores: Any = None) -> Any:
        there = self.plan == self.requested == self.observed and len(self.plan) == n > 0
        return super().scale(n + 1 if there else n)


@mutant("CLUSTER-005", Toy)
class LosesResults(ToyCluster):
    """A worker that is scaled down takes its results with it."""

    async def _retire(self, names: Any) -> None:
        pass


@mutant("CLUSTER-006", Toy, also="CLUSTER-026")
class GoesBeyond(ToyCluster):
    """The maximum of adapt() is taken for a hint."""

    def adapt(self, *args: Any, **options: Any) -> Any:
        self.maximum = 5
        return super().adapt(*args, **{**options, "maximum": 5})


@mutant("CLUSTER-006", Toy)
class KeepsOne(ToyCluster):
    """adapt() never goes down to none."""

    def adapt(self, *args: Any, minimum: int = 0, **options: Any) -> Any:
        return super().adapt(*args, minimum=max(1, minimum), **options)


@mutant("CLUSTER-007", Toy)
class SeesTheDead(ToyCluster):
    """What was observed once is observed for ever."""

    @property
    def observed(self) -> set[Any]:
        seen: set[Any] = self.__dict__.setdefault("ever", set())
        seen |= super().observed
        return set(seen)


@mutant("CLUSTER-007", Toy)
class IsRestless(ToyCluster):
    """From time to time one more is begun, to be ready."""

    def adapt(self, *args: Any, minimum: int = 0, maximum: float = 0, **options: Any) -> Any:
        made = super().adapt(*args, minimum=minimum, maximum=maximum, **options)
        if 0 < minimum < maximum:
            more = PeriodicCallback(lambda: ToyCluster.scale(self, int(maximum)), 400)
            self.loop.add_callback(more.start)
            self.periodic_callbacks["restless"] = more
        return made


@mutant("CLUSTER-026", Toy)
class HasNoEnd(ToyCluster):
    """Whoever asks for more gets more."""

    def at_most(self, n: int) -> int:
        return n


@mutant("CLUSTER-026", Toy)
class SaysNothing(ToyCluster):
    """Gives less than was asked for, without a word."""

    def at_most(self, n: int) -> int:
        return min(n, self.maximum)


@mutant("CLUSTER-004", Toy)
class HearsTheFirst(ToyCluster):
    """While workers are under way, another number is not heard."""

    asked = 0.0

    def scale(self, n: int = 0, memory: Any = None, cores: Any = None) -> Any:
        now = time.monotonic()
        if n and now < self.asked + 0.1 and n < len(self.worker_spec):
            return None
        self.asked = now
        return super().scale(n, memory, cores)
