"""What the last starts come to: for each profile and image, how long, and why some failed."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from greyhub.starts.report import PHASES

if TYPE_CHECKING:
    from greyhub.starts.table import Start

TEMPERATURES: Final[Mapping[bool | None, str]] = {True: "cold", False: "warm", None: "unknown"}
"""What a start is called by whether it was cold."""


@dataclass(frozen=True)
class Group:
    """The starts of a profile and an image that were cold, or those that were warm."""

    profile: str
    image: str
    start: str
    """``cold``, ``warm``, or ``unknown``."""
    count: int
    median: float
    """Seconds."""
    percentile90: float
    """Seconds in which nine of ten had started."""
    phases: Mapping[str, float]
    """The median of each phase, in seconds, of the starts that tell of it."""
    image_bytes: int | None
    """As it was pulled last."""


@dataclass(frozen=True)
class Failed:
    """How often starts with a profile failed, and why."""

    profile: str
    reason: str
    count: int


@dataclass(frozen=True)
class Summary:
    """The starts that went well, and those that failed."""

    started: Sequence[Group]
    failed: Sequence[Failed]


def summary(starts: Sequence[Start]) -> Summary:
    """What starts come to, the newest of them first."""
    return Summary(_groups(starts), _failures(starts))


def _groups(starts: Iterable[Start]) -> list[Group]:
    """Those that went well, by profile and image, cold before warm."""
    found: dict[tuple[str, str, str], list[Start]] = defaultdict(list)
    sizes: dict[str, int] = {}
    for each in starts:
        if each.failure:
            continue
        found[each.profile, each.image, TEMPERATURES[each.cold]].append(each)
        if each.image_bytes is not None:
            sizes.setdefault(each.image, each.image_bytes)
    return [
        Group(
            profile,
            image,
            start,
            len(each),
            median(one.seconds for one in each),
            percentile(0.9, [one.seconds for one in each]),
            _phases(each),
            sizes.get(image),
        )
        for (profile, image, start), each in sorted(found.items())
    ]


def _failures(starts: Iterable[Start]) -> list[Failed]:
    """Those that failed, by profile, the most frequent reason first."""
    counted = Counter((each.profile, each.failure) for each in starts if each.failure)
    found = [Failed(*key, count) for key, count in counted.items()]
    return sorted(found, key=lambda each: (each.profile, -each.count, each.reason))


def percentile(part: float, values: Sequence[float]) -> float:
    """The smallest of the values that at least this part of them does not exceed."""
    return sorted(values)[max(math.ceil(part * len(values)), 1) - 1]


def _phases(starts: Sequence[Start]) -> dict[str, float]:
    found = {name: [each.phases[name] for each in starts if name in each.phases] for name in PHASES}
    return {name: median(seconds) for name, seconds in found.items() if seconds}
