"""Dask's LocalCluster, with limits, and closed to other users of the machine."""

from __future__ import annotations

import math
import os
import secrets
import warnings
from typing import Any

import dask
from dask.utils import parse_bytes
from distributed import LocalCluster

PREFIX = f"/{secrets.token_urlsafe(12)}"
"""Dashboards ask for no password, and any account of the machine can reach a loopback
port: their pages are under a path that only this process and its user know."""


class LimitedCluster(LocalCluster):
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

    def __init__(
        self, *, max_workers: int, n_workers: int, idle_timeout: str, **options: Any
    ) -> None:
        self.max_workers = max_workers
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
        dask.config.set({"distributed.dashboard.link": f"{prefix}proxy/{{port}}{PREFIX}/status"})
        defaults = {
            "n_workers": self._at_most(n_workers),
            "security": True,
            "dashboard_address": "127.0.0.1:0",
            "scheduler_kwargs": {"idle_timeout": idle_timeout, "http_prefix": PREFIX},
            "http_prefix": PREFIX,
        }
        super().__init__(**{**defaults, **options})

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
