"""What an adapter tells of a start: where the time went, and whether it was cold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PHASES: Final[Mapping[str, str]] = {
    "prepare": "the hub and its adapters prepare the start",
    "place": "waiting for a turn, or for a node with room",
    "machine": "a machine is made or started",
    "home": "volumes are mounted, the home among them",
    "image": "the image is pulled",
    "start": "the rest, until the server's process or container runs",
    "answer": "the server comes to answer, and the proxy to know it",
}
"""The phases of a start, in order, and what they mean. The platform itself measures the first
and the last, and what no other has told is ``start``."""


@dataclass(frozen=True)
class StartReport:
    """What is known of a start that has ended, well or not."""

    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds by phase, of those that are the spawner's: ``place``, ``machine``, ``home``,
    ``image``. What is not known is left out."""

    cold: bool | None = None
    """Whether something was made or fetched that a later start finds there: an image was pulled,
    a node or an instance was made. None where that is not known, or means nothing."""

    image: str = ""
    """The container image, if there is one."""

    image_bytes: int | None = None
    """Its size as it was pulled, compressed or not as the backend counts it."""
