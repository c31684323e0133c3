"""Match classes by the names in their ancestry, so that none of them must be imported."""

from __future__ import annotations

ON_HUB = ("LocalProcessSpawner", "SystemdSpawner", "SudoSpawner")
"""Spawners whose servers are processes of the hub's own machine."""


def made_from(cls: type | None, *names: str) -> bool:
    """Whether a class is, or was made from, one of these names."""
    return cls is not None and any(base.__name__ in names for base in cls.__mro__)
