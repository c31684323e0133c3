"""Where homes are that are copied: a URL, a directory or a claim, and whether two are one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from greyhub.errors import HomeError
from greyhub.homespace.sync.keys import IDENTITY


@dataclass(frozen=True)
class Location:
    """Where one home is."""

    url: str
    """A URL, or a directory."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the URL's filesystem, with references where secrets are."""
    owner: int | None = None
    """The uid that a directory belongs to, if that is known."""
    claim: Mapping[str, Any] | None = None
    """The claim to be made, if it is on one of Kubernetes that may not be there yet."""

    @property
    def on_claim(self) -> bool:
        """Whether it is on a claim of Kubernetes, which pods reach."""
        return self.url.startswith("pvc://")

    @property
    def directory(self) -> Path | None:
        """The home's own directory; one that keeps a working copy's store is a store."""
        if "://" in self.url and not self.url.startswith(("file://", "local://")):
            return None
        path = Path(self.url.partition("://")[2] or self.url).absolute()
        return None if (path / IDENTITY).exists() else path


def check_apart(source: Location, target: Location) -> None:
    """Raise `HomeError` where two homes are one, or one is in the other."""
    if _within(source, target):
        raise HomeError(f"{source.url} and {target.url} are one home, or one is in the other")


def _within(source: Location, target: Location) -> bool:
    if source.options != target.options and source.directory is None:
        return False
    one, other = (canonical(each) for each in (source, target))
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def canonical(place: Location) -> str:
    """Where a home is, written in one way only."""
    if "://" in place.url and not place.url.startswith(("file://", "local://")):
        return place.url.rstrip("/")
    return os.path.realpath(place.url.partition("://")[2] or place.url).rstrip("/")
