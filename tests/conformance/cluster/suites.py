"""The suites of the clusters that are judged: as any author would write them."""

from __future__ import annotations

from typing import Any

from greyhub.conformance.cluster import ClusterSuite, OnThisMachine, Part
from tests.conformance.cluster.toy.cloud import Running

NEAR = {
    "own_scheduler": "the scheduler is in the notebook's process, and ends with it",
    "remote": "parts are processes of the notebook's, made without any API",
    "shared": "a cluster is its user's own server's",
    "reattach": "a cluster ends with its notebook",
    "groups": "each worker is a process of its own",
}


class Local(OnThisMachine, ClusterSuite):
    """greyhub's own, in the user's server."""

    adapter = "greyhub.clusters.local:LocalCluster"
    mode = "real"
    config = {"LocalCluster": {"max_workers": 2, "memory_limit": "1 GiB"}}
    claims = {
        "adaptive": True,
        "tls": True,
        "quota": 2,
        "idle_timeout": {"LocalCluster.idle_timeout": "2 s"},
        "reaps_on_client_death": 3,
    }
    declines = {**NEAR, "tokens": "a task has no business with the hub"}


class Toy(ClusterSuite):
    """One of the tests' own: its parts are jobs in a cloud, which is a process."""

    adapter = "tests.conformance.cluster.toy.cluster:ToyCluster"
    endpoint = "ToyCluster.url"
    claims = {
        "adaptive": True,
        "tls": True,
        "quota": 2,
        "idle_timeout": {"ToyCluster.idle_timeout": "1 s"},
        "own_scheduler": True,
        "remote": True,
        "shared": True,
        "reattach": True,
        "reaps_on_client_death": 5,
    }
    declines = {
        "groups": "a job is one worker",
        "tokens": "a task has no business with the hub",
    }

    def prepare(self) -> None:
        self.cloud = Running()
        self.cloud.start()

    def cleanup(self) -> None:
        self.cloud.stop()

    def config(self) -> dict[str, dict[str, Any]]:
        # On a busy machine its notebook may be late to renew it.
        lease = {"period": 2.5 * self.patience}
        return {"ToyCluster": {"url": self.cloud.url, "user": "{user}", "maximum": 2, **lease}}

    def alive(self) -> list[Part]:
        return [Part(*part) for part in self.cloud.parts()]

    def kill(self, part: Part) -> None:
        self.cloud.kill(part.id)

    def fault(self, kind: str, room: int = 0) -> Any:
        return self.cloud.fault(kind, room)

    def list_clusters(self, user: str) -> list[str]:
        found: list[str] = self.subject().list_clusters(self.cloud.url, user)
        return found

    def reattach(self, user: str, name: str) -> Any:
        return self.subject().from_name(name, url=self.cloud.url, user=user, maximum=2)

    def reap(self) -> None:
        self.cloud.reap()


class ToyGroups(Toy):
    """The same, with two workers in each job."""

    claims = {**Toy.claims, "groups": 2, "quota": 4}
    declines = {name: why for name, why in Toy.declines.items() if name != "groups"}

    def config(self) -> dict[str, dict[str, Any]]:
        options = super().config()["ToyCluster"]
        return {"ToyCluster": {**options, "group": 2, "maximum": 4}}


class ToyPlain(Toy):
    """The same without TLS, which does not follow the load either."""

    claims = {name: value for name, value in Toy.claims.items() if name not in ("tls", "adaptive")}
    declines = {**Toy.declines, "tls": "the cloud has none", "adaptive": "it is a toy"}

    def config(self) -> dict[str, dict[str, Any]]:
        return {"ToyCluster": {**super().config()["ToyCluster"], "tls": False, "adaptive": False}}


class ToyKept(Toy):
    """The same, but a cluster stays until its owner ends it, who can list it."""

    claims = {name: value for name, value in Toy.claims.items() if "reaps" not in name}
    declines = {**Toy.declines, "reaps_on_client_death": "its owner ends it, by list_clusters"}

    def config(self) -> dict[str, dict[str, Any]]:
        return {"ToyCluster": {**super().config()["ToyCluster"], "period": 60}}


class Lazy(ClusterSuite):
    """The plainest of clusters, declining all that can be declined, by an author without hooks."""

    adapter = "distributed:LocalCluster"
    config = {"LocalCluster": {"n_workers": 0, "dashboard_address": None}}
    declines = dict.fromkeys(ClusterSuite.contract.capabilities, "not looked at")
