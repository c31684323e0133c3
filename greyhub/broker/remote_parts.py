"""Schedulers and workers on machines that the broker does not control, each by an agent.

The broker serves the agents' rendezvous, see `greyhub.rendezvous`. What it must know of them
is kept in its database: one that was killed goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.db_base import Cluster, JobStatus, Worker
from traitlets import Float, List, Unicode

from greyhub.broker.backend import BrokerBackend
from greyhub.broker.by_hub import routes
from greyhub.broker.scheduler_addresses import refused
from greyhub.rendezvous.machines import Machine
from greyhub.rendezvous.offers import Offer
from greyhub.rendezvous.protocol import hashed
from greyhub.rendezvous.service import Rendezvous

Part: TypeAlias = Cluster | Worker
"""A scheduler, which is the cluster itself, or a worker."""

SCHEDULER: Final = "scheduler"


def cluster_of(part: Part) -> Cluster:
    """The cluster of a part."""
    return part.cluster if isinstance(part, Worker) else part


def part_name(part: Part) -> str:
    """``scheduler``, or the worker's name."""
    return str(part.name) if isinstance(part, Worker) else SCHEDULER


def kind(part: Part) -> str:
    """``scheduler`` or ``worker``."""
    return "worker" if isinstance(part, Worker) else SCHEDULER


class RemotePartsBackend(BrokerBackend):
    """The base of backends whose parts are agents."""

    local_api = Unicode(help="Where dask-gateway's API listens.").tag(config=True)
    networks: List[Any] = List(Unicode(), help="Where schedulers may listen.").tag(config=True)
    death_timeout = Float(
        120.0, help="Seconds after which a worker ends that finds no scheduler."
    ).tag(config=True)

    async def do_setup(self) -> None:
        """Know the agents again that earlier brokers have invited."""
        self.rendezvous = Rendezvous(log=self.log)
        self.ends: dict[str, str] = {}
        """How a worker of a cluster has ended last, where not in order."""
        for part in self.parts():
            if kept := (part.state or {}).get("machine"):
                machine = self.machine(part)
                machine.load(kept)
                if machine.run:
                    machine.offer(self._offer(part), None, run=machine.run)

    def parts(self) -> Sequence[Part]:
        """All schedulers and workers that have not ended."""
        clusters = self.db.name_to_cluster.values()
        every = [part for each in clusters for part in (each, *each.workers.values())]
        return [part for part in every if part.status < JobStatus.STOPPED]

    def routes(self, prefix: str) -> Sequence[Any]:
        """The rendezvous, and the API for schedulers."""
        return routes(prefix, self.local_api, self.rendezvous)

    async def make_offer(self, part: Part) -> Offer:
        """A subclass's: what the agent of a part starts."""
        raise NotImplementedError

    def _offer(self, part: Part) -> Callable[[], Awaitable[Offer]]:
        return partial(self.make_offer, part)

    # The agents' records.

    def machine(self, part: Part) -> Machine:
        """The record of a part's agent; a new one where there is none."""
        machine = self.rendezvous.machine(*_key(part))
        machine.once = True
        machine.keep = partial(self._keep, part, machine)
        machine.when_over = partial(self._over, part, machine)
        return machine

    def known(self, part: Part) -> Machine | None:
        """The record of a part's agent."""
        return self.rendezvous.machines.get(_key(part))

    def invite(self, part: Part, nonce: str, seconds: float) -> None:
        """Let an agent register with a nonce, and start the part; again, it changes nothing."""
        machine = self.machine(part)
        if machine.invitation != hashed(nonce):
            machine.invite(seconds, nonce)
        if not machine.run:
            machine.offer(self._offer(part), None)

    def forget(self, part: Part) -> None:
        """The part has ended: its agent's keys are nobody's."""
        machine = self.machine(part)
        machine.keep = machine.when_over = lambda: None
        self.rendezvous.forget(*_key(part))

    def _keep(self, part: Part, machine: Machine) -> None:
        """Write down what the next broker must know, before the agent gets its answer."""
        state = {**(part.state or {}), "machine": machine.state()}
        write = self.db.update_worker if isinstance(part, Worker) else self.db.update_cluster
        write(part, state=state)

    def _over(self, part: Part, machine: Machine) -> None:
        """A scheduler or worker has ended, or its agent is not trusted."""
        if part.target > JobStatus.RUNNING or machine.status == 0:
            return  # it should; or it has ended in order, and says so itself
        cluster = cluster_of(part)
        if machine.contested or not isinstance(part, Worker):
            self.fail(cluster, f"its {kind(part)} has ended: {machine.reason}")
            return
        self.ends[cluster.name] = f"A worker has ended: {machine.reason}"
        if part.status < JobStatus.RUNNING:
            cluster.worker_start_failure_count += 1
        self.db.update_worker(part, target=JobStatus.FAILED)
        self.queue.put(part)

    # What schedulers and workers are told, and say.

    def get_worker_command(self, cluster: Cluster, *args: Any, **options: Any) -> list[str]:
        """A worker's command line: without a scheduler it ends."""
        command = super().get_worker_command(cluster, *args, **options)
        return [*command, "--death-timeout", f"{self.death_timeout:g}"]

    async def on_cluster_heartbeat(self, cluster_name: str, msg: dict[str, Any]) -> None:
        """What a scheduler says of itself: the broker connects there, if it is where jobs are."""
        cluster = self.db.get_cluster(cluster_name)
        if cluster is not None and (wrong := refused(msg, self.networks)):
            self.fail(cluster, wrong)
            raise PublicException(" ".join(wrong.split()))
        await super().on_cluster_heartbeat(cluster_name, msg)


def _key(part: Part) -> tuple[str, str]:
    cluster = cluster_of(part)
    return str(cluster.username), f"{cluster.name}/{part_name(part)}"
