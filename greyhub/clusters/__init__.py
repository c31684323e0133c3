"""The cluster slot: anything that keeps Dask's cluster protocol.

The slot's base adapts every class that keeps it: `distributed.LocalCluster`,
those of dask-cloudprovider, dask-jobqueue, `dask_gateway.GatewayCluster`, …
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from traitlets import Any as AnyTrait
from traitlets import Dict

from greyhub.adapter import Adapter, Contribution, Finding
from greyhub.clusters.listing import ClusterList, of_this_process
from greyhub.imports import import_object, import_string


@runtime_checkable
class Cluster(Protocol):
    """What ``hub.cluster()`` returns, on every backend. A context manager, too."""

    @property
    def scheduler_address(self) -> str:
        """Where the scheduler listens, ``tls://host:port``."""

    @property
    def dashboard_link(self) -> str:
        """A URL of the dashboard that works in the user's browser, or ``""``."""

    def scale(self, n: int) -> Any:
        """Ask for ``n`` workers in all."""

    def adapt(self, *, minimum: int, maximum: int) -> Any:
        """Let the number of workers follow the load."""

    def get_client(self) -> Any:
        """A `distributed.Client` of this cluster."""

    def close(self) -> Any:
        """End the cluster and everything that it started; safe to call twice."""


class ClusterAdapter(Adapter):
    """Fills the slot with a class that keeps Dask's cluster protocol."""

    slot = "cluster"

    cluster_class = AnyTrait(help="The class that makes a cluster, in the notebook's process.")

    options = Dict(
        help="Keyword arguments for the class, as plain JSON values. Users can read them.",
    ).tag(config=True, seen=True, example={"address": "http://dask-gateway"})

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """A class with ``scale``, ``adapt``, ``close`` and ``get_client``."""
        protocol = ("scale", "adapt", "close", "get_client", "scheduler_address")
        known = isinstance(value, type) and not issubclass(value, Adapter)
        if known and all(hasattr(value, name) for name in protocol[:3]):
            return {"cluster_class": value}
        return None

    def contribute(self) -> Contribution:
        """JupyterLab's button for a new cluster starts one of this platform's."""
        return Contribution(
            environment={
                "DASK_LABEXTENSION__FACTORY__MODULE": "greyhub.clusters.lab",
                "DASK_LABEXTENSION__FACTORY__CLASS": "new_cluster",
            }
        )

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """The class and its options."""
        return {"class": import_string(self.cluster_class), "options": self.options}

    @classmethod
    def connect(
        cls, ticket: Mapping[str, Any], workers: int | None = None, **options: Any
    ) -> Cluster:
        """A new cluster; ``workers`` are asked for as soon as it is there."""
        cluster: Cluster = import_object(ticket["class"])(**{**ticket["options"], **options})
        if workers is not None:
            cluster.scale(workers)
        return cluster

    @classmethod
    def clusters(cls, ticket: Mapping[str, Any]) -> ClusterList:
        """One's own clusters that run; by default those that this process has open."""
        known = import_object(ticket["class"])
        kept = getattr(known, "_instances", ())  # where Dask's classes keep those that are open
        return of_this_process(each for each in list(kept) if isinstance(each, known))

    async def check(self) -> Sequence[Finding]:
        """Does a dask-gateway answer, of a version that fits, and agree on the time?"""
        from greyhub.clusters.live_check import gateway

        address = self.options.get("address")
        known = getattr(self.cluster_class, "__name__", "") == "GatewayCluster"
        return await gateway(str(address)) if known and address else ()

    def label(self) -> str:
        """The name of the class."""
        return str(self.cluster_class.__name__)
