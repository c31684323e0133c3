"""The toy cluster that ``greyhub conform new`` writes, as the mutants break it."""

from examples.cluster.toycluster.cluster import ToyCluster
from examples.cluster.toycluster.parts import Job, SchedulerJob

__all__ = ["Job", "SchedulerJob", "ToyCluster"]
