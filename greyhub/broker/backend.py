"""What every backend of the broker shares: dask-gateway's reconciler, made to lose nothing.

dask-gateway keeps what it wants of each cluster and worker in a database, and works
towards it. What it does where a backend or the network is in trouble is done here instead:

- the end of a part is asked for until it is confirmed, so that none is left behind;
- a scheduler that is not heard of is looked for in the backend before it counts as dead;
- a start that the backend cannot answer is tried again, and a refusal is told in words;
- parts that carry this hub's mark and that the database does not know are ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.db_base import Cluster, DBBackendBase, JobStatus, Worker
from dask_gateway_server.options import Field, Options
from dask_gateway_server.utils import timestamp
from traitlets import Dict, Float, Instance, Unicode, default

from greyhub.broker import api
from greyhub.broker.limits import Limits, Usage
from greyhub.broker.options import GIB, BrokerClusterConfig, base_fields, base_settings
from greyhub.broker.owners import Owners

SOON = 10.0
"""Seconds for a question without whose answer it goes on, too."""


class BrokerBackend(DBBackendBase):  # type: ignore[misc]
    """The base of the broker's backends.

    A backend says how parts are started and ended: ``do_start_cluster``,
    ``do_stop_cluster``, ``do_check_clusters`` and the same for workers, as in dask-gateway,
    and `do_reason`, `do_end_unknown`, `cluster_fields`, `cluster_settings`. A stop returns
    when the part is gone, and raises where that is not known. A check answers True unless
    the part is known to have ended. A start may be called again for what is there already.
    """

    cluster_config_class = BrokerClusterConfig

    hub_id = Unicode(help="Tells the parts of this hub from those of others.").tag(config=True)
    python = Unicode("python", help="The interpreter where none is asked for.").tag(config=True)
    defaults = Dict(
        {"worker_cores": 1, "worker_memory": 2.0, "idle_timeout": 1200.0},
        help="What a cluster gets where nothing is asked for.",
    ).tag(config=True)
    most = Dict(help="The most cores and memory of a worker, and the longest idle time.").tag(
        config=True
    )
    cluster_limits = Dict(help="For each cluster.").tag(config=True)
    user_limits = Dict(help="For each user.").tag(config=True)
    member_limits = Dict(help="By group, for each user in it.").tag(config=True)
    group_limits = Dict(help="By group, for its users together.").tag(config=True)
    heartbeat_lost = Float(
        600.0, help="Seconds without a heartbeat after which a scheduler that may live is given up."
    ).tag(config=True)
    unknown_period = Float(
        300.0, help="Seconds between two searches for parts that the database does not know."
    ).tag(config=True)
    owners = Instance(Owners, allow_none=True)

    _last_check: int | None = None

    @default("cluster_status_period")
    @default("worker_status_period")
    def _soon(self) -> float:
        return 3.0

    @default("backoff_max_delay")
    def _often(self) -> float:
        return 15.0

    # The life of the broker.

    async def setup(self, app: Any) -> None:
        """Start, with the additions to dask-gateway's API."""
        api.extend(app, self)
        self.limits = Limits(
            self.cluster_limits, self.user_limits, self.member_limits, self.group_limits
        )
        self.waits: dict[str, str] = {}
        await super().setup(app)
        if self.owners is not None:
            self.task_pool.spawn(self.owners.watch(self))
        self.task_pool.spawn(self._end_unknown_parts())

    async def cleanup(self) -> None:
        """End, and give what is being ended a while; clusters that run stay."""
        if hasattr(self, "db"):
            ending = [
                asyncio.ensure_future(each.shutdown)
                for each in self.db.name_to_cluster.values()
                if not each.is_active() and each.status < JobStatus.STOPPED
            ]
            if ending:
                await asyncio.wait(ending, timeout=SOON / 2)
        await super().cleanup()

    async def _end_unknown_parts(self) -> None:
        while True:
            try:
                for name in await self.do_end_unknown(KnownClusters(self)):
                    self.log.warning("Ended a part that no cluster claims: %s", name)
            except Exception as error:
                self.log.warning("Whether parts are left that no cluster claims: %r", error)
                await asyncio.sleep(SOON)
            else:
                await asyncio.sleep(self.unknown_period)

    # What is asked for.

    async def process_cluster_options(
        self, user: Any, request: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Any]:
        """What was asked for, and the settings of the cluster."""
        options = Options(*base_fields(self.defaults), *self.cluster_fields(user))
        try:
            asked: dict[str, Any] = options.parse_options(request)
        except (TypeError, ValueError) as error:
            raise PublicException(str(error)) from error
        most = {**dict.fromkeys(("worker_cores", "worker_memory"), float("inf")), **self.most}
        most = {"idle_timeout": 0.0, "python": self.python} | most
        settings = base_settings(asked, most) | {"groups": sorted(user.groups)}
        settings |= await self.cluster_settings(asked, user)
        return asked, self.cluster_config_class(parent=self, **settings)

    async def get_cluster_options(self, user: Any) -> Options:
        """What can be asked for, for dask-gateway's own client."""
        return Options(*base_fields(self.defaults), *self.cluster_fields(user))

    async def start_cluster(self, user: Any, cluster_options: Mapping[str, Any]) -> str:
        """Make a cluster, unless a limit is reached; one of the same key is the same one."""
        try:
            if self.owners is not None:
                user.groups = await self.owners.groups(user.name)
            asked, config = await self.process_cluster_options(user, cluster_options)
        except PublicException as error:
            raise api.refused(str(error)) from error
        key = asked["key"]
        for each in self.db.list_clusters(user.name):
            if key and each.options.get("key") == key:
                return str(each.name)
        groups = frozenset(user.groups)
        new = Usage("", user.name, groups, 0, config.worker_cores, config.worker_memory / GIB)
        if refused := self.limits.refusal(new, self._used()):
            raise api.refused(f"{refused}.\n  fix: end one of them: hub.clusters() lists yours")
        cluster = self.db.create_cluster(user.name, asked, config.to_dict())
        self.log.info("Created cluster %s for user %s", cluster.name, user.name)
        self.queue.put(cluster)
        return str(cluster.name)

    def _usage(self, cluster: Cluster, workers: int | None = None) -> Usage:
        if workers is None:
            workers = max(cluster.count, len(cluster.active_workers()))
        config, groups = cluster.config, set(cluster.config.groups)
        if self.owners is not None:
            groups = self.owners.known_groups(cluster.username, groups)
        return Usage(
            cluster.name,
            cluster.username,
            frozenset(groups),
            workers,
            config.worker_cores,
            config.worker_memory / GIB,
        )

    def _used(self) -> list[Usage]:
        return [self._usage(each) for each in self.db.active_clusters()]

    def allowed(self, cluster: Cluster, workers: int) -> tuple[int, str]:
        """How many of these workers a cluster can have now, and why not all of them."""
        return self.limits.workers(self._usage(cluster, workers), self._used())

    async def forward_message_to_scheduler(self, model: Any, msg: dict[str, Any]) -> None:
        """Tell a scheduler how many workers to have, within the limits."""
        if (cluster := self.db.get_cluster(model.name)) is None:
            raise PublicException(f"cluster {model.name} is not running")
        msg, why = api.within(msg, lambda workers: self.allowed(cluster, workers))
        if why:
            api.say(why)
        for pause in (0.2, 1.0, 3.0, None):
            if cluster.status != JobStatus.RUNNING or not cluster.is_active():
                raise PublicException(f"cluster {cluster.name} is not running")
            with suppress(OSError, asyncio.TimeoutError, api.ClientError):
                await self.session.post(
                    f"{cluster.api_address}/api/comm",
                    json=msg,
                    headers={"Authorization": f"token {cluster.token}"},
                    raise_for_status=True,
                    timeout=api.timeout(SOON),
                )
                return
            if pause:
                await asyncio.sleep(pause)
        raise api.refused(
            f"the scheduler of cluster {cluster.name} does not answer; it may be busy.\n"
            "  fix: try again in a while"
        )

    async def on_cluster_heartbeat(self, cluster_name: str, msg: dict[str, Any]) -> None:
        """What a scheduler says of itself: it cannot have more workers than it may."""
        cluster = self.db.get_cluster(cluster_name)
        if cluster is not None and cluster.target <= JobStatus.RUNNING:
            count = msg["count"]
            valid = isinstance(count, int) and count >= 0
            msg = {**msg, "count": self.allowed(cluster, count)[0] if valid else 0}
            lost = {*msg["active_workers"], *msg["closing_workers"], *msg["closed_workers"]}
            gone = [
                each
                for each in cluster.workers.values()
                if each.status == JobStatus.RUNNING and each.name not in lost
            ]
            msg["closed_workers"] = [*msg["closed_workers"], *(each.name for each in gone)]
        await super().on_cluster_heartbeat(cluster_name, msg)

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

    # What a backend says.

    def get_scheduler_command(self, cluster: Cluster) -> list[str]:
        """The scheduler's command line; nothing secret is in it."""
        command: list[str] = super().get_scheduler_command(cluster)
        return [*command, "--preload", "greyhub.clusters.guard"]

    def get_worker_command(self, cluster: Cluster, *args: Any, **options: Any) -> list[str]:
        """A worker's command line; nothing secret is in it."""
        command: list[str] = super().get_worker_command(cluster, *args, **options)
        return [*command, "--preload", "greyhub.clusters.guard"]

    def cluster_fields(self, user: Any) -> Sequence[Field]:
        """What can be asked of this backend beyond what can be asked of all."""
        return ()

    async def cluster_settings(self, asked: Mapping[str, Any], user: Any) -> dict[str, Any]:
        """The settings of what was asked; raises `PublicException` where it cannot be had."""
        return {}

    async def do_reason(self, cluster: Cluster) -> str:
        """Why a scheduler or workers do not start, or have ended, with the end of the log."""
        return ""

    async def do_end_unknown(self, known: Collection[str]) -> Sequence[str]:
        """End the parts of this hub whose cluster's name is not known; what was ended.

        Parameters
        ----------
        known : collection of str
            Is asked after the parts were listed: what is made meanwhile is known.
        """
        raise NotImplementedError

    def do_start_cluster(self, cluster: Cluster) -> AsyncIterator[dict[str, Any]]:
        """Start a scheduler, or find the one that was started; yields what to remember."""
        raise NotImplementedError

    def do_start_worker(self, worker: Worker) -> AsyncIterator[dict[str, Any]]:
        """Start a worker, or find the one that was started; yields what to remember."""
        raise NotImplementedError


class KnownClusters(Collection[str]):
    """The names of the clusters that have not ended, at the moment of each question."""

    def __init__(self, backend: BrokerBackend) -> None:
        self._all = backend.db.name_to_cluster

    def __contains__(self, name: object) -> bool:
        found = self._all.get(name)
        return found is not None and found.status < JobStatus.STOPPED

    def __iter__(self) -> Any:
        return (name for name in list(self._all) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
