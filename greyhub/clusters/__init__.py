"""The cluster slot: anything that keeps Dask's cluster protocol.

The slot's base adapts every class that keeps it: `distributed.LocalCluster`,
those of dask-cloudprovider, dask-jobqueue, `dask_gateway.GatewayCluster`, …
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Protocol, runtime_checkable

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


IN_THE_NOTEBOOK: Final = ("coiled", "dask_cloudprovider", "dask_jobqueue", "dask_kubernetes")
"""Packages of such classes, which the hub's environment need not have."""


class ClusterAdapter(Adapter):
    """Fills the slot with a class that keeps Dask's cluster protocol."""

    slot = "cluster"

    cluster_class = AnyTrait(help="The class that makes a cluster, in the notebook's process.")

    options = Dict(
        help="Keyword arguments for the class, as plain JSON values. Users can read them.",
    ).tag(config=True, seen=True, example={"address": "http://dask-gateway"})

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """A class with ``scale``, ``adapt``, ``close`` and ``get_client``.

        Or the name of one, where its package is known to be for notebooks and is not here.
        """
        if isinstance(value, str):
            package, *rest = re.split("[.:]", value)
            away = package in IN_THE_NOTEBOOK and rest and find_spec(package) is None
            return {"cluster_class": value} if away else None
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
        return {"class": self._name, "options": self.options}

    @property
    def _name(self) -> str:
        given = self.cluster_class
        return given if isinstance(given, str) else import_string(given)

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
        """What can be asked of what the class works with, for those that are known here."""
        from greyhub.clusters import live_check, operator_check

        package, name = re.split("[.:]", self._name)[0], self.label()
        if name == "GatewayCluster" and (address := self.options.get("address")):
            return await live_check.gateway(str(address))
        here = [_not_here(package)] if isinstance(self.cluster_class, str) else []
        if package == "dask_kubernetes" and name == "KubeCluster":
            return [*here, *await operator_check.operator(self.config, self.options)]
        return here

    def label(self) -> str:
        """The name of the class."""
        return re.split("[.:]", self._name)[-1]


def _not_here(package: str) -> Finding:
    return Finding(
        "note",
        f"{package} is not installed here: whether servers have it, and take "
        "c.ClusterAdapter.options, is seen once a notebook asks for a cluster",
        f"pip install {package.replace('_', '-')} in the servers' environment or image",
        option="c.GreyHub.cluster",
    )
