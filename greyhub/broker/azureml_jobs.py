"""Clusters of Azure ML's jobs: one for the scheduler, one for each worker.

A job's command, environment and tags are read by the whole workspace. So a job is an agent
with a nonce; what the scheduler or worker needs is sealed to the agent's keys by the broker's
rendezvous. A job has a name that is made of the hub, the cluster and the worker, and tags:
after a crash, it is found again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.db_base import Cluster, JobStatus, Worker
from traitlets import Dict, Unicode, default

from greyhub.azureml import jobs
from greyhub.azureml.agent_jobs import CERTIFICATE, KEY, await_running
from greyhub.azureml.errors import AzureMLError, NotFound, Refused, Unavailable
from greyhub.azureml.names import CLUSTER, HUB, is_of_hub, tags_of
from greyhub.azureml.resources import SETTLING
from greyhub.azureml.settings import AzureML
from greyhub.azureml.workspace import Workspace, shared
from greyhub.broker.azureml_job import AUTHORITIES, TRUST, Jobs
from greyhub.broker.remote_parts import Part, RemotePartsBackend, cluster_of, kind
from greyhub.kept_secret import kept_secret
from greyhub.rendezvous.offers import Offer

ENDING: Final = 600.0
"""Seconds that a job may take to end, before it is asked again."""

GRACE: Final = 5.0
"""Seconds from the signal to end until the one that kills."""


class AzureMLBackend(RemotePartsBackend):
    """The broker's backend on Azure ML."""

    state_dir = Unicode(help="The hub's private directory.").tag(config=True)
    rendezvous_url = Unicode(help="The broker's address, as jobs reach it.").tag(config=True)
    jobs = Dict(help="What jobs are made of, as `greyhub.broker.azureml_job.Jobs` has it.").tag(
        config=True
    )

    @default("cluster_start_timeout")
    def _nodes_may_have_to_come(self) -> float:
        return 1800.0

    @default("worker_start_timeout")
    def _nodes_may_have_to_come_too(self) -> float:
        return 1800.0

    # The life of the broker.

    async def do_setup(self) -> None:
        """Know the agents again that earlier brokers have invited."""
        settings = AzureML(config=self.config)
        self.workspace: Workspace = shared(settings)
        secret = kept_secret(Path(self.state_dir) / "clusters-rendezvous")
        self.made_of = Jobs(
            hub=self.hub_id,
            rendezvous=self.rendezvous_url,
            secret=secret,
            scope=settings.scope,
            **self.jobs,
        )
        self._doubtful: dict[str, float] = {}
        """Until when a 404 tells nothing: of what an earlier broker may have just made, too."""
        for part in self.parts():
            self._doubt(self.made_of.name(part))
        await super().do_setup()

    async def do_cleanup(self) -> None:
        """End the connections."""
        if hasattr(self, "workspace"):
            await self.workspace.close()

    # Start.

    async def make_offer(self, part: Part) -> Offer:
        """What the agent of a part starts, once Azure ML says that its job runs."""
        cluster, job = cluster_of(part), self.made_of.name(part)
        await await_running(partial(self._status, part), self.workspace.settings.poll_interval)
        if isinstance(part, Worker):
            command = self.get_worker_command(cluster, part.name)
            environment = self.get_worker_env(cluster)
        else:
            command = self.get_scheduler_command(cluster)
            environment = self.get_scheduler_env(cluster)
        files = {CERTIFICATE: cluster.tls_cert.decode(), KEY: cluster.tls_key.decode()}
        if self.made_of.authorities and not isinstance(part, Worker):  # it asks the broker's API
            files[AUTHORITIES] = self.made_of.authorities
            environment = {**environment, TRUST: AUTHORITIES}
        variables = self.made_of.variables(job, environment)
        return Offer(variables, command, files=files, grace=GRACE)

    def get_tls_paths(self, cluster: Cluster) -> tuple[str, str]:
        """Names, below the directory of each job."""
        return CERTIFICATE, KEY

    async def do_start_cluster(self, cluster: Cluster) -> AsyncIterator[dict[str, Any]]:
        """Submit the scheduler's job, or find it."""
        try:
            if "environment" not in (known := cluster.state or {}):
                found = await self.workspace.environment_id(self.made_of.environment)
                # Its workers shall have the same version, and so shall a job that is sent again.
                self.db.update_cluster(cluster, state={**known, "environment": found})
            await self._start(cluster, self.cluster_start_timeout)
        except Refused as error:
            raise PublicException(str(error)) from error
        yield cluster.state

    async def do_start_worker(self, worker: Worker) -> AsyncIterator[dict[str, Any]]:
        """Submit a worker's job, or find it."""
        await self._start(worker, self.worker_start_timeout)
        yield worker.state

    async def _start(self, part: Part, seconds: float) -> None:
        job = self.made_of.name(part)
        self.invite(part, self.made_of.nonce(job), seconds)
        self._doubt(job)
        try:
            await self.workspace.create_job(job, self.made_of.body(part))
        except Refused:
            self._doubtful.pop(job, None)
            raise
        except BaseException:
            self._doubt(job)
            raise

    def _doubt(self, job: str) -> None:
        self._doubtful[job] = time.monotonic() + SETTLING

    # End.

    async def do_stop_worker(self, worker: Worker) -> None:
        """Cancel a worker's job; returns when it has ended."""
        await self._end(worker)

    async def do_stop_cluster(self, cluster: Cluster) -> None:
        """Cancel all jobs of a cluster; returns when they have ended."""
        await self._end(cluster)
        for name, job in (await self._listed(cluster)).items():
            if jobs.status(job) not in jobs.ENDED:
                await self._cancel(cluster, name)
        self.workspace.forget_jobs(self.made_of.tag(cluster.name))
        self.ends.pop(cluster.name, None)

    async def _end(self, part: Part) -> None:
        job = self.made_of.name(part)
        self.machine(part).withdraw()
        await self._cancel(cluster_of(part), job)
        self.forget(part)
        self._doubtful.pop(job, None)

    async def _cancel(self, cluster: Cluster, job: str) -> None:
        """Cancel a job; returns when Azure ML says that it has ended."""
        try:
            found = (await self._listed(cluster)).get(job) or await self.workspace.job(job)
            if not is_of_hub(found, self.hub_id) or tags_of(found).get(CLUSTER) != cluster.name:
                return  # another's, of the same name
            await self.workspace.cancel_job(job)
            async with asyncio.timeout(ENDING):
                while True:
                    found = (await self._listed(cluster)).get(job)
                    if jobs.status(found or await self.workspace.job(job)) in jobs.ENDED:
                        return
                    await asyncio.sleep(self.workspace.settings.poll_interval)
        except NotFound as error:
            if self._is_doubtful(job):
                raise Unavailable(f"whether there is a job {job} is not known yet") from error
        except TimeoutError:
            raise Unavailable(f"the job {job} does not end") from None

    def _is_doubtful(self, job: str) -> bool:
        return time.monotonic() < self._doubtful.get(job, 0.0)

    async def do_end_unknown(self, known: Collection[str]) -> Sequence[str]:
        """Cancel the jobs of this hub's clusters that are not known."""
        found = await self.workspace.jobs(HUB)
        lost = [
            name
            for name, job in found.items()
            if is_of_hub(job, self.hub_id)
            and jobs.status(job) not in jobs.ENDING
            and (cluster := tags_of(job).get(CLUSTER))
            and cluster not in known
        ]
        await asyncio.gather(*(self.workspace.cancel_job(each) for each in lost))
        return lost

    # Do they live?

    async def _listed(self, cluster: Cluster) -> Mapping[str, Any]:
        return await self.workspace.jobs(self.made_of.tag(cluster.name))

    async def _job(self, part: Part) -> dict[str, Any]:
        """A part's job: by the cluster's list, or by a request of its own."""
        name = self.made_of.name(part)
        found = (await self._listed(cluster_of(part))).get(name)
        return dict(found or await self.workspace.job(name))

    async def _status(self, part: Part) -> str:
        return jobs.status(await self._job(part))

    async def _lives(self, part: Part) -> bool:
        """Whether a part has not ended, or that is not known."""
        if (machine := self.known(part)) and machine.over:
            return False
        try:
            return await self._status(part) not in jobs.ENDED
        except NotFound:
            return self._is_doubtful(self.made_of.name(part))
        except AzureMLError:
            return True

    async def do_check_clusters(self, clusters: Sequence[Cluster]) -> list[bool]:
        """Whether their schedulers have not ended, or that is not known."""
        return list(await asyncio.gather(*map(self._lives, clusters)))

    async def do_check_workers(self, workers: Sequence[Worker]) -> list[bool]:
        """Whether they have not ended, or that is not known."""
        return list(await asyncio.gather(*map(self._lives, workers)))

    # Why not?

    async def do_reason(self, cluster: Cluster) -> str:
        """Why its scheduler, or if that runs, its workers do not start, or have ended."""
        late = [each for each in cluster.workers.values() if each.status < JobStatus.RUNNING]
        for part in (cluster, *reversed(late)):
            if (machine := self.known(part)) and machine.reason:
                return f"The {kind(part)} has ended: {machine.reason}"
            if part.status >= JobStatus.RUNNING:
                continue
            try:
                status = await self._status(part)
            except NotFound:
                continue
            name = self.made_of.name(part)
            if status in jobs.ENDED:
                said = "its output is in Azure ML Studio"
            elif status == "Running":
                said = "its agent has not registered, or what it has started does not answer yet"
            else:
                said = "Azure ML has no node for it yet, or prepares one"
            return f"The {kind(part)}'s job {name} is in the state {status}: {said}"
        return self.ends.get(cluster.name, "")
