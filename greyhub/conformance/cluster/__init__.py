"""The contract of the cluster slot: what a notebook expects of a Dask cluster."""

from greyhub.conformance.cluster.local_processes import OnThisMachine
from greyhub.conformance.cluster.suite import CONTRACT, ClusterSuite, Part

__all__ = ["CONTRACT", "ClusterSuite", "OnThisMachine", "Part"]
