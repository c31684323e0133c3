"""The contract of the spawner slot: what the hub expects of a Spawner."""

from greyhub.conformance.spawner.suite import CONTRACT, Running, SpawnerSuite

__all__ = ["CONTRACT", "Running", "SpawnerSuite"]
