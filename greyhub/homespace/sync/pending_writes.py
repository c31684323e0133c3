"""Files that were written locally and are not in the journal yet, committed in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from greyhub.homespace.sync.context import SyncContext
from greyhub.homespace.sync.keys import RESERVED
from greyhub.homespace.sync.records import Base
from greyhub.homespace.sync.syscalls import make_durable
from greyhub.homespace.sync.workers import Workers

NOTE: Final = f"{RESERVED}/journal"
"""The name of the journal's own work among that of paths."""

TOGETHER: Final = 1.0
"""Seconds of work that the journal, and the manifest, are told of at once."""

Landed = list[tuple[str, Base]]


class PendingWrites:
    """Tells the journal what landed, by way of the workers.

    Parameters
    ----------
    context : SyncContext
        The working copy.
    workers : Lanes
        Where the disk is waited for.
    clock : Callable[[], float]
        A clock that never goes back.
    """

    def __init__(self, context: SyncContext, workers: Workers, clock: Callable[[], float]) -> None:
        self.context, self.workers, self.clock = context, workers, clock
        self._landed: Landed = []
        self._noting: Landed = []
        self._noted = 0.0

    def add(self, path: str, base: Base) -> None:
        """One more path."""
        self._landed.append((path, base))

    def wait(self, flying: int) -> float:
        """Seconds until the journal is to be told, with so many paths under way."""
        if self._noting or not self._landed:
            return float("inf")
        if len(self._landed) == flying:  # nothing else will come
            return 0.0
        return max(0.0, self._noted + TOGETHER - self.clock())

    def note(self, flying: int) -> None:
        """Have the journal told, if it is time."""
        if self.wait(flying) > 0:
            return
        noting = self._noting = self._landed
        self._landed = []

        def write() -> None:
            # A row that outlives its file in a crash would make the loss look like an edit.
            make_durable(self.context.tree.home)
            self.context.journal.agree(noting)

        self.workers.start("disk", NOTE, write)

    def noted(self, error: BaseException | None) -> list[str]:
        """The journal was told: of these paths. Raises the error, if there was one."""
        told, self._noting, self._noted = self._noting, [], self.clock()
        if error is not None:
            self._landed = told + self._landed
            raise error
        return [path for path, _ in told]
