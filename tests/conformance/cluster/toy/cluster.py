"""The toy cluster that ``greyhub conform new`` writes, as the mutants break it."""

from greyhub.conformance.new.cluster.toycluster.cluster import ToyCluster
from greyhub.conformance.new.cluster.toycluster.parts import Job, SchedulerJob

__all__ = ["Job", "SchedulerJob", "ToyCluster"]
