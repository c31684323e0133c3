"""``greyhub.azureml.AzureMLCluster``, which has no hub, in a simulated workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from greyhub.conformance import ClusterSuite
from tests.azureml.hubs import settings_of
from tests.conformance.cluster.azureml import NODES, InSimulatedWorkspace
from tests.support.azureml_process import Apart
from tests.support.ports import free_port


class AzureMLAlone(InSimulatedWorkspace, ClusterSuite):
    """greyhub's own, without a hub: jobs, each on a node of a compute cluster."""

    adapter = "greyhub.azureml.dask_cluster:AzureMLCluster"
    mode = "fake"
    patience = 3.0  # a job begins with an interpreter that begins from nothing, twice
    claims = {
        "adaptive": True,
        "tls": True,
        "idle_timeout": {"AzureMLCluster.scheduler_idle_timeout": 2.0},
        "own_scheduler": True,
        "remote": True,
    }
    declines = {
        "quota": "nothing bounds it but the compute cluster",
        "shared": "the workspace's own rights say who may cancel whose jobs",
        "reattach": "a cluster ends with its notebook",
        "groups": "a job is one worker",
        "reaps_on_client_death": "it ends when it is idle",
        "tokens": "a task has no business with a hub",
    }

    def prepare(self) -> None:
        self.azure = Apart()
        self._resize(NODES)

    def cleanup(self) -> None:
        self.azure.close()

    def config(self) -> dict[str, dict[str, Any]]:
        own = {
            "poll_interval": 0.2,
            "patience": 2.0,
            "compute_target": "cpu",
            "environment_definition": "dask",
            "host": "127.0.0.1",
            "networks": ["127.0.0.0/8"],  # not the nodes' addresses, which Azure tells
            "python": sys.executable,
            "nthreads": 1,
        }
        return {"AzureMLCluster": settings_of(self.azure) | own}

    def make(self, user: str, workers: int = 0, **options: Any) -> Any:
        # The nodes are one machine here.
        ports = {"scheduler_port": free_port(), "dashboard_port": free_port()}
        cluster = self.subject()(**{**self.overridden(user)["AzureMLCluster"], **ports, **options})
        if workers:
            cluster.scale(workers)
        return cluster

    @contextmanager
    def fault(self, kind: str, room: int = 0) -> Iterator[None]:
        if kind != "unreachable":
            with super().fault(kind, room):
                yield
            return
        self.azure.break_off()
        try:
            yield
        finally:
            self.azure.heal()

    def list_clusters(self, user: str) -> list[str]:
        """What Azure ML lists; each user has a workspace's rights."""
        return sorted({str((part.labels or {})["cluster"]) for part in self.alive()})

    def reap(self) -> None:
        """Nothing: what is lost ends by itself."""
