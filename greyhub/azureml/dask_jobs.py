"""The parts of a Dask cluster as jobs of Azure ML, made by a process that has no hub.

A job's command, environment and tags are read by everybody in the workspace: a job is an
agent with a nonce, and this process's certificate. What the scheduler or worker needs is
sealed to the agent's keys by this process's rendezvous.
"""

from __future__ import annotations

import asyncio
import secrets
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from distributed.security import Security

from greyhub.azureml import jobs
from greyhub.azureml.agent_jobs import CERTIFICATE, KEY, TLS, await_running, directory, files
from greyhub.azureml.dask_command import VARIABLE
from greyhub.azureml.dask_nodes import is_from, node_addresses, suspicion
from greyhub.azureml.errors import AzureMLError, NotFound, Unavailable
from greyhub.azureml.names import CLUSTER
from greyhub.azureml.resources import SETTLING
from greyhub.azureml.workspace import Workspace
from greyhub.rendezvous.machines import Machine
from greyhub.rendezvous.offers import Offer, Refused
from greyhub.rendezvous.own_server import OwnServer
from greyhub.rendezvous.script import job_command

ENDING: Final = 120.0
"""Seconds for which the end of a job is waited for."""

HEARD: Final = 15.0
"""Seconds for which an agent may tell that its part has ended, where Azure does not answer."""

URL: Final = "JUPYTERHUB_SERVICE_URL"
"""The variable by which an agent knows where what it starts shall listen."""


@dataclass
class JobSource:
    """What the jobs of one cluster have in common.

    Parameters
    ----------
    workspace : Workspace
        Whom to ask for jobs.
    server : OwnServer
        Where agents ask.
    name : str
        The cluster's.
    security : Security
        The cluster's keys, for all its parts.
    properties : mapping
        What Azure ML is asked for besides the command.
    environment : str
        The environment, as `Workspace.environment_id` takes it.
    python : str
        The environment's interpreter.
    seconds : float
        How long a node may take to come.
    """

    workspace: Workspace
    server: OwnServer
    name: str
    security: Security
    properties: Mapping[str, Any]
    environment: str
    python: str
    seconds: float
    networks: Sequence[str] = ()
    """From where jobs may ask, beside their nodes' own addresses."""
    prefix: str = field(default_factory=lambda: f"/{secrets.token_urlsafe(12)}")
    """The path of the pages, that this process knows alone."""
    closing: bool = False
    """Whether all jobs are to end: each is cancelled at once, and waited for in `stop`."""
    _cancelled: list[str] = field(default_factory=list)

    @property
    def tag(self) -> str:
        """The name of a tag that the jobs of this cluster alone have: Azure ML lists by it."""
        return f"{CLUSTER}-{self.name}"

    async def start(self) -> None:
        """Listen, and look whether the environment is there."""
        self._id = await self.workspace.environment_id(self.environment)
        self.server.start()

    async def stop(self) -> None:
        """Listen no more, when all jobs that were cancelled have ended."""
        await asyncio.gather(*map(self._await_end, list(self._cancelled)))
        await self.server.stop()
        await self.workspace.close()

    async def submit(self, job: str, said: Mapping[str, Any], words: Sequence[str]) -> Machine:
        """Ask for a job that runs a command of Dask's; the record of its agent."""
        machine = self.server.rendezvous.machine(self.name, job)
        machine.once = True
        nonce = machine.invite(self.seconds)

        async def make() -> Offer:
            interval = self.workspace.settings.poll_interval
            await await_running(partial(self.status, job), interval, lambda: machine.run)
            if machine.run:
                await self._require_its_node(job, machine, said)
            return self._offer(files(job), words)

        machine.offer(make, None)
        command = job_command(
            hub=self.server.url,
            nonce=nonce,
            directory=str(directory(job)),
            python=self.python,
            authorities=self.server.certificate,
        )
        body = {
            **self.properties,
            **said,
            "jobType": "Command",
            "command": command,
            "environmentId": self._id,
            "tags": {**self.properties.get("tags", {}), CLUSTER: self.name, self.tag: ""},
        }
        await self.workspace.create_job(job, {"properties": body})
        return machine

    async def _require_its_node(self, job: str, machine: Machine, said: Mapping[str, Any]) -> None:
        """Distrust an agent that has registered from elsewhere than its job's node.

        Of a serverless job Azure ML tells no node: then `networks` alone say, if they are given.
        """
        remote = machine.registration.remote if machine.registration else ""
        if not is_from(remote, places := list(self.networks)):
            if "computeId" in said:
                places += await node_addresses(self.workspace, job)
            if places and not is_from(remote, places):
                machine.distrust(suspicion(job, remote, places))
                raise Refused(machine.reason)

    def _offer(self, place: Path, words: Sequence[str]) -> Offer:
        paths = {"CA_FILE": CERTIFICATE}
        for part in ("SCHEDULER", "WORKER", "CLIENT"):
            paths |= {f"{part}__CERT": CERTIFICATE, f"{part}__KEY": KEY}
        port = words[words.index("--port") + 1] if "--port" in words else "0"
        return Offer(
            environment={
                **{f"{TLS}{name}": str(place / file) for name, file in paths.items()},
                "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
                VARIABLE: self.prefix,
                URL: f"http://0.0.0.0:{port}/",
            },
            command=[self.python, "-m", "greyhub.azureml.dask_command", *words],
            files={
                CERTIFICATE: self.security.tls_client_cert,
                KEY: self.security.tls_client_key,
            },
            grace=5.0,
        )

    async def status(self, job: str) -> str:
        """A job's state; "Unknown" where Azure does not tell."""
        try:
            found = (await self.workspace.jobs(self.tag)).get(job)
            found = found or await self.workspace.job(job)
        except AzureMLError:
            return "Unknown"
        return jobs.status(found)

    async def end(self, job: str) -> None:
        """Cancel a job, and wait until it has ended; while the cluster closes, `stop` waits.

        Where Azure does not answer, the agent's word counts: it has heard that its part is not
        wanted any more, and the job ends with it. Warns where neither tells.
        """
        machine = self.server.rendezvous.machine(self.name, job)
        machine.withdraw()
        try:
            await self._cancel(job)
        except AzureMLError as error:
            try:
                async with asyncio.timeout(HEARD):
                    await machine.await_ended()
            except TimeoutError:
                _warn(job, str(error))
            return
        self._cancelled.append(job)
        if not self.closing:
            await self._await_end(job)

    async def _await_end(self, job: str) -> None:
        self._cancelled.remove(job)
        try:
            async with asyncio.timeout(ENDING):
                while await self.status(job) not in jobs.ENDED:  # noqa: ASYNC110 (one list for all)
                    await asyncio.sleep(self.workspace.settings.poll_interval)
        except TimeoutError:
            _warn(job, "it was cancelled")
        self.server.rendezvous.forget(self.name, job)

    async def _cancel(self, job: str) -> None:
        """Ask for a job's end; one that was just submitted may not be shown yet."""
        for pause in (1, 4, 10, SETTLING, 0):
            with suppress(NotFound):
                await self.workspace.cancel_job(job)
                return
            await asyncio.sleep(pause)
        raise Unavailable(f"whether there is a job {job} is not known")


def _warn(job: str, why: str) -> None:
    warnings.warn(
        f"whether the job {job} has ended is not known: {why}. It ends by itself when it is idle, "
        "or finds no scheduler",
        stacklevel=2,
    )
