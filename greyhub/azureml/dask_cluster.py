"""A Dask cluster of Azure ML's jobs, for whoever has a workspace and no hub."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from distributed import SpecCluster
from distributed.core import Status
from distributed.security import Security
from distributed.utils import get_ip

from greyhub.azureml.dask_arguments import GONE, where
from greyhub.azureml.dask_jobs import JobSource
from greyhub.azureml.dask_parts import Job, SchedulerJob
from greyhub.azureml.jobs import LONGEST
from greyhub.azureml.settings import AzureML
from greyhub.azureml.workspace import Workspace
from greyhub.errors import ClusterError
from greyhub.rendezvous.addresses import valid_networks
from greyhub.rendezvous.own_server import OwnServer

AT_EXIT: Final = 30.0
"""Seconds for which the end of a process waits for the ends of a cluster's jobs."""


class AzureMLCluster(SpecCluster):  # type: ignore[misc]
    """A job of an Azure ML workspace for the scheduler, and one for each worker.

    This machine, the scheduler and the workers must reach each other: run it on a compute
    instance in the compute cluster's network, or come there by a VPN.

    Parameters
    ----------
    workspace : str, Path or object
        The workspace's name; or the path of the ``config.json`` that Azure ML Studio offers; or
        an object with ``subscription_id``, ``resource_group`` and ``name``.
    compute_target : str
        The compute cluster that jobs run on, each on a node of its own.
    vm_size : str
        The size of machines for serverless jobs, ``Standard_DS3_v2``, where there is no
        ``compute_target``.
    environment_definition : str
        An environment of the workspace with ``greyhub[azureml,agent]`` and what this process
        computes with, in the same versions: ``name``, ``name:version``, or a resource id.
    initial_node_count : int
        How many workers to begin with.
    experiment_name : str
        The experiment that jobs are shown in.
    scheduler_idle_timeout : float
        Seconds without work after which the cluster ends. It cannot be 0.
    worker_death_timeout : float
        Seconds after which a worker ends that finds no scheduler.
    lifetime : int
        Seconds after which Azure ML itself ends a job, at most 21 days.
    nthreads, memory_limit : int, str
        Of a worker; by default, all that the node has.
    scheduler_port, dashboard_port : int
        Where the scheduler listens on its node.
    host, port : str, int
        The address of this machine, as the jobs reach it, and where it listens for them; by
        default, the address by which it reaches others, and a port that is free.
    networks : sequence of str
        From where jobs ask, ``["10.1.0.0/16"]``, if by other addresses than their nodes'. Those
        are known of a ``compute_target``; of serverless jobs, only what is said here is looked at.
    start_timeout : float
        Seconds for which a node may take to come.
    python : str
        The environment's interpreter that has greyhub.
    job_properties : mapping
        More properties of the jobs, as Azure's REST API has them.
    subscription, resource_group, credential, **azure
        Which workspace, and who asks: the options of ``c.AzureML``. ``credential`` is by default
        ``"developer"``, who is logged in by ``az login``.
    asynchronous, loop
        As of all of Dask's clusters.

    Raises
    ------
    greyhub.errors.ClusterError, greyhub.errors.ConfigError
        What is asked for cannot be.
    RuntimeError
        The scheduler does not start: with what Azure says, or what its log ends with.
    """

    def __init__(
        self,
        workspace: Any = "",
        *,
        compute_target: Any = "",
        vm_size: str = "",
        environment_definition: Any = "greyhub",
        initial_node_count: int = 0,
        experiment_name: str = "dask",
        scheduler_idle_timeout: float = 1200,
        worker_death_timeout: float = 120,
        lifetime: int = 86400,
        nthreads: int = 0,
        memory_limit: str = "auto",
        scheduler_port: int = 8786,
        dashboard_port: int = 8787,
        host: str = "",
        port: int = 0,
        networks: Sequence[str] = (),
        start_timeout: float = 1800,
        python: str = "python",
        job_properties: Mapping[str, Any] | None = None,
        asynchronous: bool = False,
        loop: Any = None,
        **azure: Any,
    ) -> None:
        for each in sorted(GONE.keys() & azure.keys()):
            raise TypeError(f"AzureMLCluster has no {each} any more: {GONE[each]}")
        if unknown := sorted(azure.keys() - set(AzureML.class_trait_names(config=True))):
            raise TypeError(f"AzureMLCluster takes no {', '.join(unknown)}")
        target = str(getattr(compute_target, "name", compute_target) or "")
        if bool(target) == bool(vm_size):
            raise ClusterError("say where jobs run: either compute_target or vm_size")
        if scheduler_idle_timeout <= 0 or not 600 <= lifetime <= LONGEST:
            raise ClusterError(
                "a cluster of jobs must end by itself: scheduler_idle_timeout is more than 0, and "
                "lifetime from 600 s to 21 days"
            )
        settings = AzureML(**{"credential": "developer", **where(workspace), **azure})
        settings.check()
        self._keys = Security.temporary()
        said: dict[str, Any] = {"resources": {"instanceCount": 1}}
        if target:
            said["computeId"] = f"{settings.scope}/computes/{target}"
        else:
            said["resources"]["instanceType"] = vm_size
        named = getattr(environment_definition, "id", environment_definition)
        self.source = JobSource(
            workspace=Workspace(settings),
            server=OwnServer(host or get_ip(), port),
            name=secrets.token_hex(4),
            security=self._keys,
            properties={
                **(job_properties or {}),
                "experimentName": experiment_name,
                "limits": {"jobLimitsType": "Command", "timeout": f"PT{lifetime}S"},
            },
            environment=str(named),
            python=python,
            seconds=start_timeout,
            networks=valid_networks("networks", networks),
        )
        self._dashboard_port = dashboard_port
        shared = {"source": self.source, "said": said}
        scheduler = [
            *("scheduler", "--host", "tls://0.0.0.0", "--port", str(scheduler_port)),
            *("--dashboard-address", f"0.0.0.0:{dashboard_port}"),
            *("--idle-timeout", f"{scheduler_idle_timeout:g} s"),
        ]
        worker = ["worker", "--death-timeout", f"{worker_death_timeout:g}"]
        worker += ["--nthreads", str(nthreads), "--memory-limit", str(memory_limit)]
        self._count, self._process = initial_node_count, os.getpid()
        self._ending: asyncio.Future[None] | None = None
        self._watched: dict[str, asyncio.Future[None]] = {}
        super().__init__(
            scheduler={"cls": SchedulerJob, "options": {**shared, "words": scheduler}},
            worker={"cls": Job, "options": {**shared, "words": worker}},
            security=self._keys,
            name=f"dask-{self.source.name}",  # to Dask, two clusters of one name are the same
            asynchronous=asynchronous,
            loop=loop,
        )

    @property
    def dashboard_link(self) -> str:
        """The dashboard, where this machine reaches it; only this process knows its path."""
        address = getattr(self.scheduler, "address", None)
        if not address:
            return ""
        host = address.partition("://")[2].rpartition(":")[0]
        return f"http://{host}:{self._dashboard_port}{self.source.prefix}/status"

    def new_worker_spec(self) -> dict[Any, Any]:
        """A worker whose name was never another's: one that is retiring is not mistaken for it."""
        self._i += 1
        return {str(self._i): self.new_spec}

    async def _start(self) -> Any:
        if self.status == Status.created:
            started = await super()._start()
            self._ending = asyncio.ensure_future(self._end_with_scheduler())
            for _ in range(self._count):
                self.worker_spec.update(self.new_worker_spec())
            return started
        return await super()._start()

    async def _correct_state_internal(self) -> None:
        await self._retire()
        await super()._correct_state_internal()
        for name, job in self.workers.items():
            if name not in self._watched:
                self._watched[name] = asyncio.ensure_future(self._note_end(name, job))

    async def _retire(self) -> None:
        """Move the results of workers that are to end to others.

        Dask itself means to, and asks by names for what is known by addresses.
        """
        surplus = [name for name in self.workers if name not in self.worker_spec]
        if surplus and self.status == Status.running and self.scheduler.status == Status.running:
            await self.scheduler_comm.retire_workers(names=surplus)

    async def _note_end(self, name: str, job: Job) -> None:
        """Forget a worker whose job has ended: the next `scale` asks for another."""
        await job.finished()
        self._watched.pop(name, None)
        by_itself = job.status == Status.failed and self.workers.get(name) is job
        if not by_itself or self.status != Status.running:
            return
        self._log(f"The job of worker {name} has ended. {job.reason}".strip())
        if job.machine and job.machine.contested:  # the cluster's keys may be somebody else's
            await self._close()
            return
        del self.workers[name]
        self.worker_spec.pop(name, None)
        await job.close()

    async def _close(self) -> None:
        self.source.closing = True
        await super()._close()

    async def _end_with_scheduler(self) -> None:
        """Close when the scheduler has ended itself, being idle: nothing is left half alive."""
        await self.scheduler.finished()
        if self.status != Status.running:
            return
        self._log(f"The scheduler has ended. {self.scheduler.reason}".strip())
        self.shutdown_scheduler = False  # it is down: do not wait for its answer
        with suppress(AttributeError):
            self._adaptive.stop()
        self.worker_spec.clear()
        await self._correct_state()
        await self.scheduler.close()
        await self._close()


def _close_at_exit() -> None:
    """Close this process's clusters while pools of threads are there, which requests need.

    They end before what `atexit` runs, where Dask closes clusters.
    """
    for each in list(SpecCluster._instances):
        ours = isinstance(each, AzureMLCluster) and each._process == os.getpid()
        if ours and not each.asynchronous:
            with suppress(TimeoutError):
                each.close(timeout=AT_EXIT)


threading._register_atexit(_close_at_exit)  # type: ignore[attr-defined]
