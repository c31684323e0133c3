"""Clusters that others have written."""

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace

import psutil
import requests

from greyhub.conformance.cluster import ClusterSuite, OnThisMachine
from tests.conformance.cluster.suites import NEAR
from tests.conformance.strangers.gateway import Gateway as Server

HERE = {
    **NEAR,
    "quota": "nothing bounds it but the machine",
    "tokens": "a task has no business with the hub",
}


class Local(OnThisMachine, ClusterSuite):
    """distributed's LocalCluster."""

    adapter = "distributed:LocalCluster"
    mode = "real"
    config = {
        "LocalCluster": {
            "n_workers": 0,
            "threads_per_worker": 1,
            "security": True,
            "dashboard_address": ":0",
        }
    }
    claims = {
        "adaptive": True,
        "tls": True,
        "idle_timeout": {"LocalCluster.scheduler_kwargs": {"idle_timeout": "2 s"}},
        "reaps_on_client_death": 10,
    }
    declines = HERE


class Spec(OnThisMachine, ClusterSuite):
    """distributed's SpecCluster."""

    adapter = "distributed:SpecCluster"
    mode = "real"
    claims = {"adaptive": True, "reaps_on_client_death": 10}
    declines = {
        **HERE,
        "idle_timeout": "is for whoever says what it is made of",
        "tls": "is for whoever says what it is made of",
    }

    def config(self):
        from distributed import Nanny, Scheduler

        near = {"host": "127.0.0.1"}
        return {
            "SpecCluster": {
                "scheduler": {"cls": Scheduler, "options": {**near, "dashboard_address": ":0"}},
                "worker": {"cls": Nanny, "options": {**near, "nthreads": 1}},
            }
        }


class JobQueue(OnThisMachine, ClusterSuite):
    """dask-jobqueue's LocalCluster.

    Each job is an interpreter that begins from nothing.
    """

    adapter = "dask_jobqueue.local:LocalCluster"
    mode = "real"
    patience = 2.0
    claims = {"adaptive": True, "reaps_on_client_death": 15}
    declines = {
        **HERE,
        "idle_timeout": "its documentation names none",
        "tls": "for jobs of this machine its documentation names none",
    }

    def prepare(self):
        self.keys = tempfile.TemporaryDirectory(prefix="greyhub-jobqueue-")

    def cleanup(self):
        self.keys.cleanup()

    def config(self):
        return {
            "LocalCluster": {
                "cores": 1,
                "processes": 1,
                "memory": "1 GiB",
                "death_timeout": 30,
                "shared_temp_directory": self.keys.name,
                # It waits for a line of its worker's log, which is quiet in the suite.
                "python": f"env DASK_DISTRIBUTED__LOGGING__DISTRIBUTED=info {sys.executable}",
                "scheduler_options": {"host": "127.0.0.1", "dashboard_address": ":0"},
            }
        }


class Gateway(OnThisMachine, ClusterSuite):
    """dask-gateway with UnsafeLocalBackend."""

    adapter = "dask_gateway:GatewayCluster"
    mode = "real"
    parts = ("dask-gateway-server",)
    endpoint = "GatewayCluster.address"
    claims = {
        "adaptive": True,
        "tls": True,
        "quota": 2,
        "idle_timeout": {"GatewayCluster.idle_timeout": 2.0},
        "own_scheduler": True,
        "remote": True,
        "shared": True,
        "reattach": True,
    }
    declines = {
        "groups": "each worker is a process of its own",
        "reaps_on_client_death": "its owner ends it, by list_clusters; or its idle timeout",
        "tokens": "a task has no business with the hub",
    }

    def prepare(self):
        self.server = Server()

    def cleanup(self):
        self.server.close()

    def config(self):
        return {"GatewayCluster": {"address": self.server.url}}

    def make(self, user, workers=0, **options):
        cluster = self.subject()(**{**self.gateway(user), **options})
        if workers:
            cluster.scale(workers)
        return cluster

    def gateway(self, user):
        """How a user's notebook finds the gateway; Dask's traffic does not go by the faults."""
        from dask_gateway import BasicAuth

        options = self.overridden(user)["GatewayCluster"]
        proxied = {"proxy_address": self.server.url.replace("http://", "gateway://")}
        return {**options, **proxied, "auth": BasicAuth(user)}

    def client(self, user):
        from dask_gateway import Gateway as Client

        told = ("address", "proxy_address", "auth")
        return Client(**{name: self.gateway(user)[name] for name in told})

    @contextmanager
    def fault(self, kind, room=0):
        # What breaks a part of Dask has to reach those that the gateway starts.
        with super().fault(kind, room) as folder:
            broken = {"full": "worker", "scheduler": "scheduler"}[kind]
            with self.server.breaking(broken, (folder / "preload.py").read_text()):
                yield

    def alive(self):
        parts = []
        for part in super().alive():
            try:
                said = psutil.Process(int(part.id)).environ() if part.id.isdigit() else {}
            except psutil.Error:
                said = {}
            labels = {
                "hub": said.get("DASK_GATEWAY_API_URL", ""),
                "user": said.get("USER", "") if "DASK_GATEWAY_CLUSTER_NAME" in said else "",
                "cluster": said.get("DASK_GATEWAY_CLUSTER_NAME", ""),
            }
            parts.append(replace(part, labels=labels))
        return parts

    def sweep(self):
        # What a gateway is not told, it mends: a worker that was killed comes again.
        for user in ("ada", "bob"):
            place, ask = f"{self.server.url}/api/v1/clusters/", {"auth": (user, ""), "timeout": 5}
            for name in requests.get(place, **ask).json():
                requests.delete(place + name, **ask)
        super().sweep()

    def list_clusters(self, user):
        with self.client(user) as client:
            return [report.name for report in client.list_clusters()]

    def reattach(self, user, name):
        return self.client(user).connect(name, shutdown_on_close=True)
