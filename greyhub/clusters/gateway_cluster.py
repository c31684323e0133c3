"""A cluster that a dask-gateway runs, with the promises of the cluster slot."""

from __future__ import annotations

import asyncio
import math
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from dask.utils import parse_timedelta
from dask_gateway import GatewayCluster
from dask_gateway.client import GatewayWarning
from distributed.core import rpc

from greyhub.clusters import (
    gateway_calls,
    gateway_reports,
    left_behind,
    scheduler_check,
    scheduler_watch,
)
from greyhub.clusters.adaptation import Adaptation, count
from greyhub.clusters.cluster_text import html, text
from greyhub.errors import ClusterError

NOTICE: Final = 10.0
"""Seconds after which a start that is still under way says what it waits for."""
ENDED: Final = ("closing", "closed", "failed")


class BrokerCluster(GatewayCluster):  # type: ignore[misc]
    """A cluster that a dask-gateway starts, limits and ends.

    What it has installed is compared with this process before it takes work, as
    ``greyhub.clusters.versions`` says.

    Parameters
    ----------
    workers : int, optional
        How many workers to ask for as soon as it runs.
    broker : bool
        Whether the gateway is greyhub's own, which says why a cluster failed or still waits.
    start_timeout : str or float
        How long a start may take, ``"15 minutes"``; a number is seconds.
    packages : str
        What to do where packages of this process are not on the cluster in the same version:
        ``"refuse"``, ``"warn"`` or ``"ignore"``.
    **options
        As for `dask_gateway.GatewayCluster`: its own, and the gateway's for a cluster.

    Raises
    ------
    greyhub.errors.ClusterError
        It was refused, did not start in time, or has other versions than this process. What
        was made of it is ended.
    """

    status: str
    name: Any  # None until the gateway has given it one
    scheduler_info: dict[str, Any]
    reason: str
    link_of: Callable[[str], str] | None = None
    """The dashboard's link by the cluster's name, where it is not the gateway's own."""
    _security: Any
    _stop_task: asyncio.Task[None] | None

    def __init__(self, *, workers: int | None = None, **options: Any) -> None:
        super().__init__(**self._prepared(workers, **options))

    @classmethod
    def from_name(cls, cluster_name: str, **options: Any) -> BrokerCluster:
        """A cluster that runs already. Its ``close`` does not end it, unless it is asked to."""
        self = object.__new__(cls)
        options = {"shutdown_on_close": False, **options}
        self._init_internal(name=cluster_name, **self._prepared(None, **options))
        return self

    def _prepared(
        self,
        workers: int | None,
        *,
        broker: bool = False,
        start_timeout: str | float = "15 minutes",
        packages: str = "refuse",
        **options: Any,
    ) -> dict[str, Any]:
        """Keep what is this class's own; the options that are dask-gateway's."""
        if packages not in ("refuse", "warn", "ignore"):
            raise ValueError(f'packages={packages!r}: it is "refuse", "warn" or "ignore"')
        self.reason = ""
        workers = None if workers is None else count("workers", workers)
        self._workers, self.broker, self._packages = workers, broker, packages
        self._start_timeout = parse_timedelta(start_timeout, default="s")
        self.checking: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self._closing, self._released, self._gone = threading.Lock(), False, False
        return options

    # Workers.

    def scale(self, n: int) -> Any:
        """Ask for ``n`` workers in all; where a limit makes it less, a warning says so."""
        return self._change("scale", count=count("n", n))

    def adapt(
        self, minimum: int | None = None, maximum: float | None = None, active: bool = True
    ) -> Adaptation:
        """Let the number of workers follow the load, from ``minimum`` to ``maximum``."""
        least = count("minimum", minimum or 0)
        most = None if maximum in (None, math.inf) else count("maximum", maximum)
        if most is not None and most < least:
            raise ValueError(f"adapt: minimum={least} is more than maximum={most}")
        request = self._change("adapt", minimum=least, maximum=most, active=active)
        return Adaptation(least, math.inf if most is None else most, request)

    def _change(self, what: str, **message: Any) -> Any:
        """Ask for a change. Asynchronous: a task, which runs also where nobody awaits it."""
        self._check_running()
        asked = partial(self._asked, what, message)
        if self.asynchronous:
            return asyncio.ensure_future(_warned(asked()))
        _warn(self.gateway.sync(asked), stacklevel=4)
        return None

    async def _asked(self, what: str, message: dict[str, Any]) -> str:
        async with self._changing:  # one that is asked again does not overtake a later one
            return await gateway_calls.change(self.gateway, self.name, what, message)

    @property
    def security(self) -> Any:
        """The credentials of its clients; none are given for a cluster that has ended."""
        self._check_running()
        return self._security

    @security.setter
    def security(self, value: Any) -> None:
        self._security = value

    def _check_running(self) -> None:
        if self.status in ENDED:
            why = f": {self.reason}" if self.reason else ""
            raise ClusterError(
                f"the cluster {self.name} is {self.status}{why}\n"
                "  fix: hub.cluster() makes a new one, hub.clusters() lists those that run"
            )

    # Its start.

    async def _start_async(self) -> None:
        if self.status in ENDED:
            return
        notice = asyncio.ensure_future(self._notice())
        limit = asyncio.timeout(self._start_timeout)
        try:
            async with limit:
                await self._start_steps()
        except TimeoutError as error:
            if not limit.expired():
                raise
            why = await gateway_reports.explained(self.gateway, self.name, broker=self.broker)
            raise ClusterError(
                f"the cluster {self.name} did not start within {self._start_timeout:g} seconds "
                f"(start_timeout){why}"
            ) from error
        finally:
            notice.cancel()

    async def _start_steps(self) -> None:
        await left_behind.end_all()
        if self.status == "created":
            self.status = "starting"
            self.name = await gateway_calls.create(
                self.gateway,
                self._cluster_kwargs,
                broker=self.broker,
                cluster_options=self._cluster_options,
            )
        report = await gateway_reports.running(self.gateway, self.name, broker=self.broker)
        self.security = report.security
        self.scheduler_address = await gateway_reports.scheduler_address(
            self.gateway, report, broker=self.broker
        )
        link = report.dashboard_link or ""
        self.dashboard_link = self.link_of(self.name) if link and self.link_of else link
        await self._init_internals()
        self.status = "running"
        if self._workers:
            told = {"count": self._workers}
            await _warned(gateway_calls.change(self.gateway, self.name, "scale", told))

    async def _notice(self) -> None:
        """Say once what a start waits for."""
        await asyncio.sleep(NOTICE)
        why = await gateway_reports.reason(self.gateway, self.name, broker=self.broker)
        print(
            f"the cluster {self.name or ''} does not run yet: {why or 'the gateway starts it'}; "
            f"waiting up to {self._start_timeout:g} seconds (start_timeout)",
            file=sys.stderr,
        )

    async def _init_internals(self) -> None:
        """Reach the scheduler, compare what is installed, and hear of its workers."""
        secure = self._security.get_connection_args("client")
        self.scheduler_comm = rpc(self.scheduler_address, connection_args=secure)
        try:
            there = await scheduler_check.ask(self.scheduler_comm)
            await scheduler_check.compare(there, self._packages, home=self.broker)
            comm = await scheduler_watch.subscribe(self)
        except OSError as error:
            raise ClusterError(
                f"the scheduler of {self.name} runs, and cannot be reached at "
                f"{self.scheduler_address}: {error}\n"
                "  fix: an administrator names the gateway's proxy as servers reach it: "
                "proxy_address"
            ) from error
        watching = scheduler_watch.watch(weakref.ref(self), comm)
        self._watch_worker_status_task = asyncio.ensure_future(watching)

    # Its end.

    def close(self, shutdown: bool | None = None) -> Any:
        """Let go of it and, unless it was joined, end it; safe to call twice.

        Where the gateway is away, a warning says that the cluster is still there; this process
        ends it when it next reaches the gateway.

        Parameters
        ----------
        shutdown : bool, optional
            Whether to end it; by default as ``shutdown_on_close`` was.
        """
        if self.asynchronous:
            return self._stop_internal(shutdown=shutdown)
        if threading.current_thread() is gateway_calls.thread_of(self.gateway):
            # Called by the garbage collector, and must not wait for itself.
            threading.Thread(target=self.close, args=(shutdown,), daemon=True).start()
            return None
        with self._closing:  # whoever calls meanwhile in another thread waits for the end
            if not self._released:
                told = self.gateway.sync(self._stop, shutdown)
                gateway_calls.release(self.gateway)
                self._released = True
                if told:
                    warnings.warn(told, stacklevel=2)
        return None

    async def _stop_internal(self, shutdown: bool | None = None) -> None:
        if told := await self._stop(shutdown):
            warnings.warn(told, stacklevel=2)

    async def _stop(self, shutdown: bool | None) -> str:
        if self._stop_task is None:
            self._stop_task = asyncio.ensure_future(self._let_go())
        await asyncio.shield(self._stop_task)
        told = await self.end_there(shutdown)
        await self.gateway._cleanup()
        self._instances.discard(self)
        return told

    async def end_there(self, shutdown: bool | None = None) -> str:
        """Have the gateway end it, if it is to end with this object; what is left, in words."""
        wanted = self.shutdown_on_close if shutdown is None else shutdown
        if not wanted or self.name is None or self._gone:
            return ""
        told = ""
        try:
            await gateway_calls.end(self.gateway, self.name)
        except ClusterError as error:
            left_behind.note(self.gateway, self.name)
            told = f"the cluster {self.name} could not be ended: {error}"
        self._gone = True
        return told

    async def _let_go(self) -> None:
        for task in self.checking:
            task.cancel()
        try:
            async with asyncio.timeout(gateway_reports.SOON):
                await self._stop_async()
        except Exception as error:
            warnings.warn(f"closing {self.name}: {error!r}", stacklevel=2)
        self.ended("closed", self.reason)

    def ended(self, status: str, reason: str) -> None:
        """It is at its end: of itself, or since it was closed."""
        self.status, self.reason = status, reason
        self.scheduler_info = {**self.scheduler_info, "workers": {}}

    def __enter__(self) -> BrokerCluster:
        if self.asynchronous:
            raise TypeError(
                "an asynchronous cluster is not ended by a plain with\n  fix: async with …"
            )
        return self

    def __repr__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str:
        return html(self)

    _ipython_display_ = None  # GatewayCluster's, which does not escape what it shows


def _warn(less: str, stacklevel: int) -> None:
    """Pass on what a limit has made less."""
    if less:
        warnings.warn(GatewayWarning(less), stacklevel=stacklevel)


async def _warned(request: Coroutine[Any, Any, str]) -> None:
    _warn(await request, stacklevel=2)
