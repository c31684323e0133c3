"""What a notebook holds, broken: CLUSTER-001, 002, 012, 013, 018, 024, 027, 033."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from distributed.core import Status

from greyhub.clusters.limited import LimitedCluster
from greyhub.clusters.local import LocalCluster
from greyhub.conformance.mutation import mutant
from tests.conformance.cluster.suites import Local, Toy
from tests.conformance.cluster.toy.cluster import ToyCluster
from tests.support.waiting import PATIENCE


@mutant("CLUSTER-001", Toy)
class HasNoLink(ToyCluster):
    """None is no URL: whoever asks for the dashboard stumbles over it."""

    dashboard_link: Any = None


@mutant("CLUSTER-002", Toy)
class OneOfThemRests(ToyCluster):
    """A worker that comes second never computes anything."""

    def new_worker_spec(self) -> dict[Any, Any]:
        found = super().new_worker_spec()
        if self.worker_spec and self._adaptive is None:
            for name, spec in found.items():
                options = spec["options"]
                found[name] = {
                    **spec,
                    "options": {**options, "job": {**options["job"], "paused": True}},
                }
        return found


@mutant("CLUSTER-012", Toy)
class WantsAThreadOfItsOwn(ToyCluster):
    """A notebook has a running loop, and a with block in it is refused."""

    def __enter__(self) -> Any:
        if self.asynchronous:
            return super().__enter__()
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return super().__enter__()
        raise RuntimeError("there is a running event loop: use async with")


@mutant("CLUSTER-013", Toy)
class EntersAnything(ToyCluster):
    """An asynchronous cluster is entered by a plain with, and never left."""

    def __enter__(self) -> Any:
        return self if self.asynchronous else super().__enter__()

    def __exit__(self, *exception: Any) -> Any:
        return None if self.asynchronous else super().__exit__(*exception)


class Of(LocalCluster):
    """greyhub's own adapter, of another class of clusters."""

    cluster_class: Any = LimitedCluster

    @classmethod
    def connect(cls, ticket: Any, workers: int | None = None, **options: Any) -> Any:
        limit = ticket["max_workers"]
        given = {name: ticket[name] for name in ("threads_per_worker", "memory_limit")}
        return cls.cluster_class(
            max_workers=limit,
            n_workers=limit if workers is None else workers,
            idle_timeout=ticket["idle_timeout"],
            **given,
            **options,
        )


class WellKnown(LimitedCluster):
    """Its dashboard is where every dashboard is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, scheduler_kwargs={})

    @property
    def dashboard_link(self) -> str:
        port = self.dashboard_path.split("/absolute/")[1].split("/")[0]
        return f"http://127.0.0.1:{port}/status"


@mutant(
    "CLUSTER-018",
    Local,
    config={"OpenToAll": Local.config["LocalCluster"]},
    claims={**Local.claims, "idle_timeout": {"OpenToAll.idle_timeout": "2 s"}},
)
class OpenToAll(Of):
    """Whoever knows the port sees the dashboard."""

    cluster_class = WellKnown


@mutant("CLUSTER-018", Toy)
class ShowsNothingWhenClosed(ToyCluster):
    """What a closed cluster shows raises."""

    def _repr_html_(self, cluster_status: Any = None) -> str:
        if self.status == Status.closed:
            raise RuntimeError("it is closed")
        return str(super()._repr_html_(cluster_status))


@mutant("CLUSTER-024", Toy)
class WaitsForIt(ToyCluster):
    """A client waits for a closed cluster to come back."""

    def get_client(self) -> Any:
        if self.status == Status.closed:
            time.sleep(1.5 * PATIENCE)
        return super().get_client()


@mutant("CLUSTER-027", Toy)
class OfOldWorkers(ToyCluster):
    """Its workers have a Dask of their own."""

    of_workers = {"dask": "2020.12.0"}


@mutant("CLUSTER-033", Toy)
class Dawdles(ToyCluster):
    """Asks the cloud in the loop of everybody."""

    async def _start(self) -> None:
        time.sleep(0.5 * PATIENCE)
        await super()._start()
