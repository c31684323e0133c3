"""Work towards what is wanted of clusters and workers, so that nothing is lost or left.

dask-gateway keeps what it wants of each cluster and worker in a database, and works
towards it. What it does where a backend or the network is in trouble is done here instead:

- the end of a part is asked for until it is confirmed, so that none is left behind;
- a scheduler that is not heard of is looked for in the backend before it counts as dead;
- a start that the backend cannot answer is tried again, and a refusal is told in words.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.db_base import Cluster, DBBackendBase, JobStatus, Worker
from dask_gateway_server.utils import timestamp
from traitlets import Float, default

SOON = 10.0
"""Seconds for a question without whose answer it goes on, too."""


class Reconciler(DBBackendBase):  # type: ignore[misc]
    """dask-gateway's reconciler, with care."""

    heartbeat_lost = Float(
        600.0, help="Seconds without a heartbeat after which a scheduler that may live is given up."
    ).tag(config=True)

    waits: dict[str, str]
    """What a cluster waits for, in words, by its name."""

    _last_check: int | None = None

    @default("cluster_status_period")
    @default("worker_status_period")
    def _soon(self) -> float:
        return 3.0

    @default("backoff_max_delay")
    def _often(self) -> float:
        return 15.0

    # Why something is as it is.

    async def reason(self, cluster_name: str) -> str:
        """Why a cluster has ended or does not start yet, in words; empty if that is not known."""
        cluster = self.db.get_cluster(cluster_name)
        if cluster is None:
            return ""
        if kept := (cluster.state or {}).get("reason"):
            return str(kept)
        with suppress(Exception):
            async with asyncio.timeout(SOON):
                if found := await self.do_reason(cluster):
                    return found
        return self.waits.get(cluster_name, "")

    def fail(self, cluster: Cluster, reason: str, *, failed: bool = True) -> None:
        """End a cluster, and remember why."""
        self.log.info("Cluster %s is ended: %s", cluster.name, reason)
        target = JobStatus.FAILED if failed else JobStatus.STOPPED
        self._remember(cluster, reason)
        if cluster.target < JobStatus.CLOSING:
            self.db.update_cluster(cluster, target=target)
        self.queue.put(cluster)

    def _remember(self, cluster: Cluster, reason: str) -> None:
        if reason and not (cluster.state or {}).get("reason"):
            self.db.update_cluster(cluster, state={**(cluster.state or {}), "reason": reason})

    # Start.

    async def _cluster_to_submitted(self, cluster: Cluster) -> None:
        left = cluster.start_time / 1000 + self.cluster_start_timeout - timestamp() / 1000
        try:
            async with asyncio.timeout(max(left, 1)):
                async for state in self.do_start_cluster(cluster):
                    self.db.update_cluster(cluster, state=state)
        except PublicException as error:
            self.fail(cluster, str(error))
        except Exception as error:
            self.waits[cluster.name] = f"its scheduler cannot be started yet: {error}"
            if left > 1 and not isinstance(error, TimeoutError):
                raise  # it is tried again
            self.fail(
                cluster,
                f"its scheduler could not be started in {self.cluster_start_timeout:g} s: {error}",
            )
        else:
            self.waits.pop(cluster.name, None)
            self.db.update_cluster(cluster, status=JobStatus.SUBMITTED)

    async def _worker_to_submitted(self, worker: Worker) -> None:
        try:
            async with asyncio.timeout(self.worker_start_timeout):
                async for state in self.do_start_worker(worker):
                    self.db.update_worker(worker, state=state)
        except Exception as error:
            # Also where it is refused: a quota that is used up now may be free later.
            self.waits[worker.cluster.name] = f"a worker cannot be started yet: {error}"
            raise
        self.waits.pop(worker.cluster.name, None)
        self.db.update_worker(worker, status=JobStatus.SUBMITTED)

    # End: what cannot be confirmed is raised, and so is tried again.

    async def _cluster_to_closing(self, cluster: Cluster) -> None:
        if cluster.target == JobStatus.FAILED and not (cluster.state or {}).get("reason"):
            self._remember(cluster, await self.reason(cluster.name))
        await super()._cluster_to_closing(cluster)

    async def _cluster_to_stopped(self, cluster: Cluster) -> None:
        await self.do_stop_cluster(cluster)
        await self.proxy.remove_route(kind="SNI", sni=cluster.name)
        self.db.update_cluster(cluster, status=cluster.target, stop_time=timestamp())
        self.waits.pop(cluster.name, None)
        cluster.ready.set()
        cluster.shutdown.set()

    async def _worker_to_stopped(self, worker: Worker) -> None:
        await self.do_stop_worker(worker)
        self.db.update_worker(worker, status=worker.target, stop_time=timestamp())

    async def _check_cluster_proxied(self, cluster: Cluster) -> None:
        if not cluster.added_to_proxies:  # dashboards are not for everybody who knows the name
            await self.proxy.add_route(
                kind="SNI", sni=cluster.name, target=cluster.scheduler_address
            )
            cluster.added_to_proxies = True

    async def _check_cluster_scale(self, cluster: Cluster) -> None:
        if (count := cluster.worker_start_failure_count) >= self.worker_start_failure_limit:
            said = await self.reason(cluster.name)
            self._remember(cluster, f"{count} workers in a row did not start: {said}")
        await super()._check_cluster_scale(cluster)

    # Doubt is not death.

    async def _check_timeouts(self) -> None:
        """End what did not start in time, and what is known to be dead."""
        now, before = timestamp(), self._last_check
        self._last_check = now
        if before is not None and now - before > 2000 * self.check_timeouts_period + 5000:
            for cluster in self.db.active_clusters():  # it was the broker that slept
                if cluster.last_heartbeat is not None:
                    cluster.last_heartbeat = now
            return
        silent = []
        for cluster in self.db.active_clusters():
            if cluster.status == JobStatus.SUBMITTED:
                if now - cluster.start_time > 1000 * self.cluster_start_timeout:
                    why = await self.reason(cluster.name)
                    seconds = f"{self.cluster_start_timeout:g} s"
                    self.fail(cluster, f"its scheduler did not start in {seconds}. {why}".strip())
            elif cluster.status == JobStatus.RUNNING:
                if now - cluster.last_heartbeat > 1500 * self.cluster_heartbeat_period:
                    silent.append(cluster)
                self._end_late_workers(cluster, now)
        alive = await self.do_check_clusters(silent) if silent else []
        for cluster, lives in zip(silent, alive, strict=True):
            seconds = (timestamp() - cluster.last_heartbeat) / 1000
            if not lives:
                self.fail(cluster, await self._why_ended(cluster))
            elif seconds > self.heartbeat_lost:
                self.fail(cluster, f"its scheduler was not heard of for {seconds:.0f} s")

    async def _why_ended(self, cluster: Cluster) -> str:
        said = await self.reason(cluster.name)
        return f"its scheduler has ended. {said}".strip()

    def _end_late_workers(self, cluster: Cluster, now: int) -> None:
        for worker in list(cluster.workers.values()):
            waits = worker.status == JobStatus.SUBMITTED and worker.target == JobStatus.RUNNING
            if waits and now - worker.start_time > 1000 * self.worker_start_timeout:
                self.log.info("Worker %s startup timed out", worker.name)
                self.db.update_worker(worker, target=JobStatus.FAILED)
                self.queue.put(worker)

    async def do_reason(self, cluster: Cluster) -> str:
        """Why a scheduler or workers do not start, or have ended, with the end of the log."""
        return ""
