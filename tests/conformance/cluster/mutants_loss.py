"""Clusters that take a loss badly: CLUSTER-017, 020 to 023, 029, 032."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from distributed.core import Status
from distributed.deploy.cluster import Cluster

from examples.cluster.toycluster.client import ask
from greyhub.conformance.mutation import mutant
from tests.conformance.cluster.suites import Toy
from tests.conformance.cluster.toy.cluster import ToyCluster
from tests.support.waiting import PATIENCE


@mutant("CLUSTER-017", Toy)
class TrustsItsWorkers(ToyCluster):
    """A worker that was there once is counted for ever."""

    def _update_worker_status(self, op: Any, msg: Any) -> None:
        Cluster._update_worker_status(self, op, msg)


def on_sigterm(act: Any) -> None:
    """What a notebook does when its server is stopped."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, act)


class Polite(ToyCluster):
    """Whoever is asked to end ends it, whatever its lease is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

        def leave(number: int, frame: Any) -> None:
            with suppress(OSError):
                ask("DELETE", self.place)
            os._exit(0)

        on_sigterm(leave)


@mutant("CLUSTER-020", Toy)
class HasNoLease(Polite):
    """Nobody looks whether the notebook is still there."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "period": 60})


@mutant("CLUSTER-020", Toy)
class HasALongLease(Polite):
    """The lease is longer than is claimed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "period": 4 * options["period"]})


@mutant("CLUSTER-032", Toy)
class OutlivesItsServer(ToyCluster):
    """When the server is stopped, the cluster is kept for the next one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

        def leave(number: int, frame: Any) -> None:
            ask("PUT", self.place, {"keep": True})
            os._exit(0)

        on_sigterm(leave)


@mutant("CLUSTER-032", Toy)
class HearsNothing(ToyCluster):
    """A notebook with a cluster does not end when it is told to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        on_sigterm(signal.SIG_IGN)


@mutant("CLUSTER-021", Toy)
class WaitsForTheNetwork(ToyCluster):
    """A connection that was lost is waited for, whoever has another one."""

    def scale(self, n: int = 0, memory: Any = None, cores: Any = None) -> Any:
        watching = self._watch_worker_status_task
        if self.status == Status.running and watching is not None and watching.done():
            time.sleep(9.5 * PATIENCE)
        return super().scale(n, memory, cores)


@mutant("CLUSTER-022", Toy)
class NoticesNothing(ToyCluster):
    """A scheduler that is gone is no news."""

    async def _lost(self) -> None:
        pass


@mutant("CLUSTER-022", Toy)
class LeavesItsWorkers(ToyCluster):
    """Without a scheduler the workers stay, and are paid for."""

    of_cluster = {"stubborn": True}
    of_workers = {"lingers": True}

    async def _watch_worker_status(self, comm: Any) -> None:
        await super()._watch_worker_status(comm)
        with suppress(OSError):
            jobs = (await asyncio.to_thread(ask, "GET", self.place))["jobs"]
            if self.status == Status.running and "scheduler" not in {job["kind"] for job in jobs}:
                self.scheduler.status = self.status = Status.failed


@mutant("CLUSTER-023", Toy)
class TriesForLong(ToyCluster):
    """close() waits until the cloud can be reached."""

    async def _end(self) -> None:
        for _ in range(int(140 * PATIENCE)):
            try:
                await asyncio.to_thread(ask, "DELETE", self.place)
                return
            except OSError:
                await asyncio.sleep(0.1)


@mutant("CLUSTER-023", Toy)
class CannotBeReaped(ToyCluster):
    """What could not be closed renews its lease, so that it is not lost."""

    of_cluster = {"reapable": False}

    async def _end(self) -> None:
        try:
            await asyncio.to_thread(ask, "DELETE", self.place)
        except OSError:
            threading.Thread(target=self.hold, daemon=True).start()

    def hold(self) -> None:
        """Renew the lease, for ever."""
        while True:
            with suppress(OSError):
                ask("PUT", self.place, {})
            time.sleep(0.2)


@mutant("CLUSTER-029", Toy)
class NeverIdle(ToyCluster):
    """A cluster waits for work for ever."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "idle_timeout": "1 hour"})
