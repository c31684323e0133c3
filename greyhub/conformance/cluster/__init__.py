"""The contract of the cluster slot: what a notebook expects of a Dask cluster, and who pays."""

from greyhub.conformance.cluster.machine import OnThisMachine
from greyhub.conformance.cluster.suite import CONTRACT, ClusterSuite, Part

__all__ = ["CONTRACT", "ClusterSuite", "OnThisMachine", "Part"]
