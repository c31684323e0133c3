"""Profiles: what users choose between when a server starts, as the administrator wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from greyhub.sizes import size_in_words
from greyhub.wording import number_of

NEEDS: Final = (
    "cores",
    "memory",
    "gpus",
    "environment",
    "image",
    "machine",
    "node_selector",
    "tolerations",
)
"""Keys that say what a server is given, which not every Spawner can."""


@dataclass(frozen=True)
class Profile:
    """One profile."""

    name: str
    """What it is called in a request, ``{"profile": "gpu"}``."""

    title: str = ""
    """What it is called on the page; by default, its name."""

    description: str = ""
    groups: frozenset[str] | None = None
    """The groups whose members may take it; None for everybody."""

    default: bool = False
    cores: float | None = None
    memory: int | None = None
    """Bytes."""

    gpus: int = 0
    environment: str = ""
    """The prefix of a Python environment, where the server runs."""

    image: str = ""
    """A container image."""

    machine: str = ""
    """The size of a virtual machine, as its cloud calls it."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()

    @property
    def needs(self) -> list[str]:
        """The keys of `NEEDS` that it has."""
        return [key for key in NEEDS if getattr(self, key)]

    def is_for(self, groups: Iterable[str]) -> bool:
        """Whether a member of these groups may take it."""
        return self.groups is None or not self.groups.isdisjoint(groups)

    @property
    def size(self) -> str:
        """Its size in words: ``2 cores, 8 GiB, 1 GPU``."""
        parts = [
            number_of("core", self.cores) if self.cores else "",
            size_in_words(self.memory) if self.memory else "",
            number_of("GPU", self.gpus) if self.gpus else "",
        ]
        return ", ".join(filter(None, parts))
