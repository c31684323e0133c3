"""Clusters that are broken on purpose, each by one promise. Most clauses still want theirs."""

from __future__ import annotations

import asyncio
from typing import Any

from greyhub.conformance.proof import mutant
from tests.conformance.cluster.suites import Toy
from tests.conformance.cluster.toy.cluster import ToyCluster


@mutant("CLUSTER-001", Toy)
class HasNoLink(ToyCluster):
    """None is no URL: whoever asks for the dashboard stumbles over it."""

    dashboard_link: Any = None


@mutant("CLUSTER-002", Toy)
class OneOfThemRests(ToyCluster):
    """A worker that comes second never computes anything."""

    def new_worker_spec(self) -> dict[Any, Any]:
        found = super().new_worker_spec()
        if self.worker_spec:
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
