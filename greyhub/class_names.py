"""Match classes by the names in their ancestry, so that none of them must be imported."""

from __future__ import annotations

ON_HUB = ("LocalProcessSpawner", "SystemdSpawner", "SudoSpawner")
"""Spawners whose servers are processes of the hub's own machine."""


def named_as(made: type, cls: type) -> type:
    """A class with the name of the one that it was made from, which messages and options use."""
    made.__name__, made.__qualname__ = cls.__name__, cls.__qualname__
    made.__module__, made.__doc__ = cls.__module__, cls.__doc__
    return made


def made_from(cls: type | None, *names: str) -> bool:
    """Whether a class is, or was made from, one of these names."""
    return isinstance(cls, type) and any(base.__name__ in names for base in cls.__mro__)
