"""Dask's LocalCluster with limits and TLS, closed to other users of the machine."""

from __future__ import annotations

import asyncio
import math
import os
import re
import secrets
import threading
import warnings
import weakref
from datetime import datetime
from typing import Any, ClassVar

import dask
from dask.utils import parse_bytes, parse_timedelta
from distributed import LocalCluster
from distributed.core import Status

from greyhub import ports
from greyhub.clusters.main_guard import require_guard
from greyhub.directories import temporary_directory

TOKENS = re.compile(r"(JUPYTER|JPY_|CONFIGPROXY_|GREYHUB_).*(TOKEN|SECRET|CRYPT_KEY)")
"""Variables of the user's server that are nobody's but its own: workers have them empty."""


class LimitedCluster(LocalCluster):  # type: ignore[misc]
    """A LocalCluster that has at most ``max_workers``, speaks TLS, and ends when idle.

    Parameters
    ----------
    max_workers : int
        Whoever asks for more gets this many, and a warning.
    n_workers : int
        How many to start with.
    idle_timeout : str
        How long it may be without work, ``"20 minutes"``.
    """

    _open: ClassVar[weakref.WeakSet[LimitedCluster]] = weakref.WeakSet()

    def __init__(
        self,
        *,
        max_workers: int,
        n_workers: int,
        idle_timeout: str,
        name: str | None = None,
        **options: Any,
    ) -> None:
        # To Dask, two clusters of one name are the same.
        if any(each.name == name and each.status != Status.closed for each in self._open):
            raise ValueError(f"a cluster named {name!r} is open: close it, or give another name")
        self.started = datetime.now()
        self.max_workers = max_workers
        self._idle_timeout = parse_timedelta(idle_timeout, default="s")
        self._changes = 0
        self._closing = threading.Lock()
        if options.get("processes", True):
            if dask.config.get("distributed.worker.multiprocessing-method", "spawn") != "fork":
                require_guard()
            hidden = {name: "" for name in os.environ if TOKENS.match(name)}
            options["env"] = {**hidden, **options.get("env", {})}
        if dask.config.get("temporary-directory", None) is None:
            # Dask's own is the first user's of the machine who asks, and Dask imports and unpickles
            # what is in it. The scheduler takes no argument for it.
            dask.config.set({"temporary-directory": temporary_directory("greyhub-dask")})
        with ports.reserve() as held:
            port = held.getsockname()[1]
            self.dashboard_path = dashboard_path(port)
            defaults = {
                "n_workers": self._at_most(n_workers),
                "security": True,
                "dashboard_address": f"127.0.0.1:{port}",
                "scheduler_kwargs": {"http_prefix": self.dashboard_path},
                "http_prefix": f"/{secrets.token_urlsafe(12)}",
            }
            super().__init__(name=name, **{**defaults, **options})
        self._open.add(self)

    @property
    def dashboard_link(self) -> str:
        """The dashboard's path behind the hub's proxy."""
        return f"{self.dashboard_path}/status"

    def scale(self, n: int = 0, memory: Any = None, cores: Any = None) -> Any:
        """Ask for ``n`` workers in all, or for as many as give this memory or these cores."""
        if memory is not None:
            n = max(n, math.ceil(parse_bytes(memory) / self._memory_per_worker()))
        if cores is not None:
            n = max(n, math.ceil(cores / self._threads_per_worker()))
        return super().scale(self._at_most(n))

    def adapt(self, *args: Any, maximum: float = math.inf, **options: Any) -> Any:
        """Let the number of workers follow the load, within the limit."""
        most = self.max_workers if maximum == math.inf else self._at_most(int(maximum))
        return super().adapt(*args, maximum=most, **options)

    def _at_most(self, n: int) -> int:
        if n > self.max_workers:
            warnings.warn(
                f"asked for {n} workers, given {self.max_workers}: the most on this platform "
                "(c.LocalCluster.max_workers)",
                stacklevel=3,
            )
        return min(n, self.max_workers)

    def new_worker_spec(self) -> dict[Any, Any]:
        """A worker whose name was never another's: one that is retiring is not mistaken for it."""
        self._i += 1
        return dict(super().new_worker_spec())

    def close(self, timeout: float | None = None) -> Any:
        """End it; whoever calls meanwhile in another thread waits for the end."""
        if self.asynchronous:
            return super().close(timeout)
        with self._closing:
            return super().close(timeout)

    async def _start(self) -> Any:
        started = await super()._start()
        self._ending = asyncio.ensure_future(self._end_with_scheduler())
        return started

    async def _correct_state_internal(self) -> None:
        self._changes += 1
        self.scheduler.idle_timeout = None  # to wait for workers is not to be idle
        try:
            await self._retire()
            await super()._correct_state_internal()
        finally:
            self._changes -= 1
            if not self._changes:
                self.scheduler.idle_since = None
                self.scheduler.idle_timeout = self._idle_timeout

    async def _retire(self) -> None:
        """Move the results of workers that are to end to others.

        Dask itself means to, and asks by names for what is known by addresses.
        """
        surplus = [name for name in self.workers if name not in self.worker_spec]
        if surplus and self.status == Status.running and self.scheduler.status == Status.running:
            await self.scheduler_comm.retire_workers(names=surplus)

    async def _end_with_scheduler(self) -> None:
        """Close when the scheduler has ended itself, being idle: nothing is left half alive."""
        await self.scheduler.finished()
        self.shutdown_scheduler = False  # it is down: do not wait for its answer
        # Nor for workers, which may look for it for seconds.
        killing = (w.kill(timeout=0.5) for w in self.workers.values() if hasattr(w, "kill"))
        await asyncio.gather(*killing, return_exceptions=True)
        await self._close()


def dashboard_path(port: int) -> str:
    """Where a dashboard on ``port`` is, seen from the user's browser.

    Dashboards ask for no password, and every account of the machine can reach a
    loopback port. So their pages are under a path that only this process and its
    user know. It is the whole path as the browser has it, since pages refer to
    each other by it; jupyter-server-proxy hands it on unchanged.
    """
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    return f"{prefix}proxy/absolute/{port}/{secrets.token_urlsafe(12)}"
