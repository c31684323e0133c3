"""The suites of the clusters that are judged: as any author would write them."""

from __future__ import annotations

from greyhub.conformance.cluster import ClusterSuite, OnThisMachine

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
    config = {"LocalCluster": {"max_workers": 2, "memory_limit": "1 GiB"}}
    claims = {
        "adaptive": True,
        "tls": True,
        "quota": 2,
        "idle_timeout": {"LocalCluster.idle_timeout": "2 s"},
        "reaps_on_client_death": 3,
    }
    declines = {**NEAR, "tokens": "a task has no business with the hub"}
