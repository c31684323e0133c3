"""A Dask cluster whose scheduler and workers are jobs of the toy cloud."""

from __future__ import annotations

import asyncio
import math
import threading
import uuid
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import dask
from distributed import Security
from distributed.core import Status
from distributed.deploy.cluster import Cluster
from distributed.deploy.spec import SpecCluster

from .client import Refused, ask
from .parts import Found, Job, SchedulerJob

RENEWAL = 0.25
"""Seconds between two renewals of the lease."""

PEM = ["tls_ca_file"] + [
    f"tls_{owner}_{part}" for owner in ("client", "scheduler", "worker") for part in ("key", "cert")
]


class ToyCluster(SpecCluster):  # type: ignore[misc]
    """A cluster in the toy cloud.

    Parameters
    ----------
    url : str
        The cloud's.
    hub, user : str
        Who it is labelled with.
    maximum : int
        Whoever asks for more workers gets this many, and a warning.
    group : int
        The workers in one job.
    idle_timeout : str
        How long it may be without work.
    tls : bool
        Whether connections are encrypted.
    adaptive : bool
        Whether it can follow the load.
    period : float
        The seconds of its lease.
    """

    job_class = Job
    scheduler_class: type[Job] = SchedulerJob
    of_workers: Mapping[str, Any] = {}
    of_cluster: Mapping[str, Any] = {}

    def __init__(
        self,
        *,
        url: str,
        user: str = "ada",
        hub: str = "toys",
        maximum: int = 4,
        group: int = 1,
        idle_timeout: str = "20 minutes",
        tls: bool = True,
        adaptive: bool = True,
        period: float | None = None,
        name: str | None = None,
        security: Security | None = None,
        attach: dict[str, Any] | None = None,
        shutdown_on_close: bool = True,
        **options: Any,
    ) -> None:
        self.url, self.maximum, self.group = url, maximum, group
        if security is not None and security.require_encryption and not tls:
            raise ValueError("this cloud has no TLS: leave security out")
        name = name or f"{user}-{uuid.uuid4().hex[:8]}"
        labels = {"hub": hub, "user": user, "cluster": name}
        security = security or (Security.temporary() if tls else Security())
        job = {
            "labels": labels,
            "group": group,
            "security": {key: getattr(security, key) for key in PEM} if tls else {},
            "environment": {"PATH": "/usr/bin:/bin"},
        }
        self.renewing: asyncio.Task[None] | None = None
        self.given = {
            "labels": labels,
            "keep": not shutdown_on_close,
            "security": job["security"],
            **self.of_cluster,
        }
        if period is not None:
            self.given["period"] = period
        self.attached, self.adaptive = attach, adaptive
        self.closing = threading.Lock()
        scheduler = {
            "cls": self.scheduler_class,
            "options": {
                "url": url,
                "job": {**job, "kind": "scheduler", "group": 1, "idle_timeout": idle_timeout},
            },
        }
        worker = {
            "cls": self.job_class,
            "options": {"url": url, "job": {**job, "kind": "worker", **self.of_workers}},
        }
        if group > 1:
            worker["group"] = [f"-{number}" for number in range(group)]
        workers = {}
        if attach is not None:
            for each in attach["jobs"]:
                options_of = {"url": url, "job": each, "known": each["name"]}
                if each["kind"] == "scheduler":
                    scheduler = {"cls": Found, "options": {**options_of, "found": each["address"]}}
                else:
                    workers[each["spec"]] = {**worker, "cls": Found, "options": options_of}
        super().__init__(
            workers=workers,
            scheduler=scheduler,
            worker=worker,
            security=security,
            name=name,
            shutdown_on_close=shutdown_on_close,
            **options,
        )

    @classmethod
    def from_name(cls, name: str, *, url: str, user: str, **options: Any) -> ToyCluster:
        """A cluster that another notebook of the user's has left."""
        found = ask("GET", f"{url}/clusters/{name}")
        if found["labels"]["user"] != user:
            raise PermissionError(f"{name} is not {user}'s")
        tls = {**found["security"], "require_encryption": True} if found["security"] else {}
        options = {"tls": bool(tls), "security": Security(**tls), **options}
        return cls(url=url, user=user, name=name, attach=found, **options)

    @property
    def place(self) -> str:
        """Its URL in the cloud."""
        return f"{self.url}/clusters/{self.given['labels']['cluster']}"

    @staticmethod
    def list_clusters(url: str, user: str) -> list[str]:
        """The clusters of a user."""
        found = ask("GET", f"{url}/clusters")
        return [labels["cluster"] for labels in found if labels["user"] == user]

    @property
    def dashboard_link(self) -> str:
        """There is none."""
        return ""

    def scale(self, n: int = 0, memory: Any = None, cores: Any = None) -> Any:
        """Ask for n workers in all."""
        jobs = math.ceil(self.at_most(n) / self.group)
        return super().scale(jobs if jobs * self.group <= self.maximum else jobs - 1)

    def adapt(self, *args: Any, maximum: float = math.inf, **options: Any) -> Any:
        """Follow the load, up to the maximum."""
        if not self.adaptive:
            raise NotImplementedError("this cloud does not follow the load: use scale()")
        most = self.maximum if maximum == math.inf else self.at_most(int(maximum))
        return super().adapt(*args, maximum=most, **options)

    def at_most(self, n: int) -> int:
        """The number, or the maximum and a warning."""
        if n > self.maximum:
            warnings.warn(f"asked for {n} workers, given {self.maximum}", stacklevel=3)
        return min(n, self.maximum)

    def new_worker_spec(self) -> dict[Any, Any]:
        """A worker whose name was never another's: SpecCluster ends those it mistakes for lost."""
        self._i += 1
        return dict(super().new_worker_spec())

    async def _start(self) -> None:
        if self.attached is None and self.status == Status.created:
            await asyncio.to_thread(ask, "POST", f"{self.url}/clusters", self.given)
        self.renewing = self.renewing or asyncio.ensure_future(self._renew())
        try:
            await super()._start()
        except BaseException:
            await self._end()
            raise

    async def _renew(self) -> None:
        """Renew the lease; where there is none any more, the cluster has ended."""
        while True:
            await asyncio.sleep(RENEWAL)
            try:
                await asyncio.to_thread(ask, "PUT", self.place, {})
            except Refused:
                if self.status == Status.running:
                    self.renewing = None
                    await self._lost()
                    return
            except OSError:
                continue

    async def _lost(self) -> None:
        """The scheduler is gone, and the rest with it."""
        self.scheduler.status = Status.closed
        await self._close()

    def _update_worker_status(self, op: Any, msg: Any) -> None:
        lost = (
            str(self.scheduler_info["workers"].get(msg, {}).get("name")) if op == "remove" else ""
        )
        super()._update_worker_status(op, msg)
        if lost and self.group > 1:
            delay = dask.utils.parse_timedelta(
                dask.config.get("distributed.deploy.lost-worker-timeout")
            )
            asyncio.get_running_loop().call_later(delay, self._bury, lost.partition("-")[0])

    def _bury(self, job: str) -> None:
        """Forget a job of several workers, when none of them is left."""
        names = {str(each["name"]) for each in self.scheduler_info["workers"].values()}
        for name in list(self.workers):
            if str(name) == job and not any(each.startswith(f"{job}-") for each in names):
                self._futures.add(asyncio.ensure_future(self.workers.pop(name).close()))

    async def scale_down(self, workers: Any) -> None:
        """End workers, after their results have moved to others."""
        await self._retire([each for each in workers if each in self.worker_spec])
        await super().scale_down(workers)

    async def _correct_state_internal(self) -> None:
        self._correct_state_waiting = None  # whatever is asked for from now on needs a turn
        surplus = [name for name in self.workers if name not in self.worker_spec]
        if surplus and self.status == Status.running and self.scheduler.status == Status.running:
            await self._retire(surplus)
        await super()._correct_state_internal()

    async def _retire(self, names: list[Any]) -> None:
        suffixes = [""] if self.group == 1 else [f"-{number}" for number in range(self.group)]
        wanted = [f"{name}{suffix}" if suffix else name for name in names for suffix in suffixes]
        with suppress(OSError, KeyError):
            await self.scheduler_comm.retire_workers(names=wanted)

    def close(self, timeout: float | None = None) -> Any:
        """End it; whoever calls meanwhile waits for the end."""
        if self.asynchronous:
            return super().close(timeout)
        with self.closing:
            return super().close(timeout)

    async def _close(self) -> None:
        if self.status in (Status.closing, Status.closed):
            while self.status == Status.closing:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            return
        if self.renewing is not None:
            self.renewing.cancel()
            self.renewing = None
        if self.given["keep"]:
            # Only this notebook's side of it.
            await Cluster._close(self)
            return
        await self._end()
        self.shutdown_scheduler = False  # it is gone: do not wait for its answer
        if self.scheduler is not None:
            self.scheduler.status = Status.closed
        for worker in self._created:
            worker.status = Status.closed
        await super()._close()

    async def _end(self) -> None:
        with suppress(OSError):
            try:
                await asyncio.to_thread(ask, "DELETE", self.place)
            except RuntimeError:  # the interpreter is ending, and begins no threads any more
                ask("DELETE", self.place)
