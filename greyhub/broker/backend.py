"""What every backend of the broker shares: what may be asked for, the limits, lost parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.db_base import Cluster, JobStatus, Worker
from dask_gateway_server.options import Field, Options
from traitlets import Dict, Float, Instance, Unicode

from greyhub.broker import api
from greyhub.broker.limits import Limits, Usage
from greyhub.broker.options import GIB, BrokerClusterConfig, base_fields, base_settings
from greyhub.broker.owners import Owners
from greyhub.broker.reconciler import SOON, Reconciler


class BrokerBackend(Reconciler):
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
    unknown_period = Float(
        300.0, help="Seconds between two searches for parts that the database does not know."
    ).tag(config=True)
    owners = Instance(Owners, allow_none=True)

    # The life of the broker.

    async def setup(self, app: Any) -> None:
        """Start, with the additions to dask-gateway's API."""
        api.extend(app, self)
        self.limits = Limits(
            self.cluster_limits, self.user_limits, self.member_limits, self.group_limits
        )
        self.waits: dict[str, str] = {}
        self._promised: dict[str, int] = {}  # workers, until the scheduler has heard of them
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
        options = await self.get_cluster_options(user)
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
            promised = self._promised.get(cluster.name, 0)
            workers = max(cluster.count, len(cluster.active_workers()), promised)
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
        if msg["op"] == "scale":
            self._promised[cluster.name] = msg["count"]
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
            self._promised.pop(cluster_name, None)
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

    # What a backend says.

    def get_scheduler_command(self, cluster: Cluster) -> list[str]:
        """The scheduler's command line; nothing secret is in it."""
        command: list[str] = super().get_scheduler_command(cluster)
        own = ("greyhub.clusters.guard", "greyhub.clusters.first_heartbeat")
        return [*command, *(word for each in own for word in ("--preload", each))]

    def get_scheduler_env(self, cluster: Cluster) -> dict[str, str]:
        """The scheduler's environment: idle, it also ends where no broker hears of that."""
        env: dict[str, str] = super().get_scheduler_env(cluster)
        if idle := cluster.config.idle_timeout:
            env["DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT"] = f"{2 * idle:g} s"
        return env

    def get_worker_command(self, cluster: Cluster, *args: Any, **options: Any) -> list[str]:
        """A worker's command line; nothing secret is in it."""
        command: list[str] = super().get_worker_command(cluster, *args, **options)
        return [*command, "--preload", "greyhub.clusters.guard"]

    def routes(self, prefix: str) -> Sequence[Any]:
        """What else the hub's proxy reaches at the broker, below a path: tornado's routes."""
        return ()

    def cluster_fields(self, user: Any) -> Sequence[Field]:
        """What can be asked of this backend beyond what can be asked of all."""
        return ()

    async def cluster_settings(self, asked: Mapping[str, Any], user: Any) -> dict[str, Any]:
        """The settings of what was asked; raises `PublicException` where it cannot be had."""
        return {}

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
