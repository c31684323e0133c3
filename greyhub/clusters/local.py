"""Dask clusters inside the user's own server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from traitlets import Dict, Integer

from greyhub.adapter import Finding
from greyhub.clusters import Cluster, ClusterAdapter
from greyhub.clusters.listing import ClusterList, of_this_process
from greyhub.option_kinds import Duration, Size
from greyhub.sizes import processors


class LocalCluster(ClusterAdapter):
    """A scheduler in the notebook's process, and its workers as processes beside it."""

    modules = ("distributed", "bokeh", "jupyter_server_proxy")
    extra = "greyhub[local]"

    max_workers = Integer(
        help="The most workers that one cluster may have; by default, one for each processor "
        "and at least two.",
    ).tag(config=True)

    threads_per_worker = Integer(1, min=1, help="Threads in each worker.").tag(config=True)

    memory_limit = Size(
        "2 GiB",
        # As Dask takes it: its share, no limit, a part of all, or bytes with an exponent.
        also=r"auto|0|0?\.\d+|1(\.0*)?|\d+(\.\d+)?e\d+",
        help="Memory of each worker; one that needs more is restarted.",
    ).tag(config=True)

    options = Dict()  # none here: the limits are options of their own

    idle_timeout = Duration(
        "20 minutes", help="A cluster that has had no work for this long ends itself."
    ).tag(config=True)

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a cluster class is the base class's."""
        return None

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """The limits."""
        return {
            "max_workers": self._most,
            "threads_per_worker": self.threads_per_worker,
            "memory_limit": self.memory_limit,
            "idle_timeout": self.idle_timeout,
        }

    @classmethod
    def connect(
        cls, ticket: Mapping[str, Any], workers: int | None = None, **options: Any
    ) -> Cluster:
        """A new cluster of ``workers``, by default as many as are allowed."""
        from greyhub.clusters.limited import LimitedCluster
        from greyhub.clusters.local_arguments import check

        check(options)
        limit = ticket["max_workers"]
        cluster: Cluster = LimitedCluster(
            max_workers=limit,
            n_workers=limit if workers is None else workers,
            idle_timeout=ticket["idle_timeout"],
            **{
                "threads_per_worker": ticket["threads_per_worker"],
                "memory_limit": ticket["memory_limit"],
                **options,
            },
        )
        return cluster

    @classmethod
    def clusters(cls, ticket: Mapping[str, Any]) -> ClusterList:
        """Those that are open in this process: others cannot see them."""
        from greyhub.clusters.limited import LimitedCluster

        return of_this_process(LimitedCluster._open)

    async def check(self) -> Sequence[Finding]:
        """Has this machine the memory that one cluster may use?"""
        from dask.utils import format_bytes, parse_bytes
        from psutil import virtual_memory

        if not self.parent.servers_here or not self.memory_limit[:1].isdigit():
            return ()
        wanted = self._most * parse_bytes(self.memory_limit)
        there = virtual_memory().total
        said = f"a cluster may use {format_bytes(wanted)} of this machine's {format_bytes(there)}"
        if wanted <= there:
            return [Finding("ok", said)]
        return [
            Finding(
                "warning",
                f"{said}: its workers would be killed",
                "set c.LocalCluster.max_workers or memory_limit to less",
                option="c.LocalCluster.memory_limit",
            )
        ]

    @property
    def _most(self) -> int:
        return self.max_workers or processors()

    def label(self) -> str:
        """The limits."""
        return f"Dask in the user's server: at most {self._most} workers of {self.memory_limit}"
