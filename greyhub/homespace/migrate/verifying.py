"""Verify that two homes have the same content, or that one matches its manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from greyhub.homespace.migrate.endpoint import Endpoint, Item
from greyhub.homespace.migrate.retry import PATIENCE, reason, with_retry
from greyhub.homespace.sync.plan import UNREADABLE
from greyhub.homespace.sync.progress import Progress
from greyhub.homespace.sync.workers import LARGE, Workers


@dataclass
class Verified:
    """How one home differs from another, or from its own manifest."""

    source: str
    target: str
    files: int = 0
    bytes: int = 0
    differences: dict[str, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    """What is in the second one only."""
    unknown: dict[str, str] = field(default_factory=dict)
    """What could not be read, and why."""
    undescribed: int = 0
    """Files of which the manifest says nothing."""

    @property
    def whole(self) -> bool:
        """Whether all of the first one is in the second one, as far as both could be read."""
        return not self.differences and not self.unknown


def verify(
    source: Endpoint,
    target: Endpoint | None,
    *,
    progress: Progress | None = None,
    tick: Callable[[], None] = lambda: None,
    workers: Workers | None = None,
    patience: float = PATIENCE,
) -> Verified:
    """Read every file of both homes and compare; without a second home, with the manifest."""
    progress, workers = progress or Progress(time.monotonic), workers or Workers()
    report = Verified(source.name, target.name if target else "its manifest")
    items = _look(source, patience)
    there = _look(target, patience) if target else items
    for endpoint in (source, target):
        report.unknown.update(dict.fromkeys(endpoint.unreadable if endpoint else (), UNREADABLE))
    files: dict[str, Item] = {}
    for path, item in items.items():
        if (found := there.get(path)) is None:
            report.differences[path] = "it is missing"
        elif said := ", ".join(_unlike(item, found)):
            report.differences[path] = said
        elif item.kind == "file" and (target or item.digest):
            files[path] = item
        elif item.kind == "file":
            report.undescribed += 1
    report.extra = sorted(there.keys() - items.keys())
    report.files, report.bytes = len(files), sum(item.size for item in files.values())
    progress.begin(len(files), report.bytes)

    def read(item: Item) -> bool:
        here = with_retry(lambda: source.digest(item), source.renew, patience)
        if target is None:
            return here == item.digest
        other = there[item.path]
        return here == with_retry(lambda: target.digest(other), target.renew, patience)

    waiting, flying = list(files.values()), 0
    while waiting or flying:
        while waiting and workers.room("small") and workers.room("large"):
            item, flying = waiting.pop(), flying + 1
            lane = "large" if item.size > LARGE else "small"
            workers.start("large" if lane == "large" else "small", item.path, _reading(read, item))
        for path, same, error in workers.take(0.2):
            flying -= 1
            progress.add(path, files[path].size)
            if error is not None:
                report.unknown[path] = reason(error)
            elif not same:
                report.differences[path] = "its content differs"
        tick()
    return report


def _reading(read: Callable[[Item], bool], item: Item) -> Callable[[], bool]:
    return lambda: read(item)


def _look(endpoint: Endpoint, patience: float) -> dict[str, Item]:
    found = with_retry(lambda: list(endpoint.items()), endpoint.renew, patience)
    return {item.path: item for item in found}


def _unlike(item: Item, there: Item) -> Iterator[str]:
    """What differs, as far as that can be told without reading."""
    if item.kind != there.kind:
        yield f"a {item.kind} is a {there.kind} there"
        return
    if item.kind == "link":
        if item.target != there.target:
            yield "the link leads elsewhere"
        return
    if item.mode != there.mode:
        yield f"its mode is {item.mode:o} here and {there.mode:o} there"
    if item.kind == "file":
        if item.size != there.size and " " not in item.mark + there.mark:
            yield f"it has {item.size:,} bytes here and {there.size:,} there"
        if item.mtime != there.mtime:
            yield "its time differs"
