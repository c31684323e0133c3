"""One thing that may be true of a platform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from greyhub.checks.platform import Platform


@dataclass(frozen=True)
class Fact:
    """Something that is true of a platform, or not."""

    name: str
    means: str
    holds: Callable[[Platform], bool]
    fix: str
    """How to make it true."""


def offered(platform: Platform, name: str) -> bool:
    """Whether an adapter says that a fact is true with it: `greyhub.adapter.Adapter.offers`."""
    return any(name in adapter.offers for adapter in platform.adapters.values())
