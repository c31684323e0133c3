"""The contract of the spawner slot: what the Hub expects of a Spawner, and what it does."""

from greyhub.conformance.spawner.suite import CONTRACT, Running, SpawnerSuite

__all__ = ["CONTRACT", "Running", "SpawnerSuite"]
