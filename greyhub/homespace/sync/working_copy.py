"""The working copy: a local tree that is kept in step with a store.

What changes on either side comes onto the queue, and the engine sees it done.
All of it can be ended at any moment and begun again.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from greyhub.errors import HomeError
from greyhub.homespace.sync import diff, ranking
from greyhub.homespace.sync.context import SyncContext
from greyhub.homespace.sync.engine import LONGEST, Engine
from greyhub.homespace.sync.identity import recognise
from greyhub.homespace.sync.ignore import FILE, Rules
from greyhub.homespace.sync.interruptible import Until
from greyhub.homespace.sync.journal import Journal
from greyhub.homespace.sync.local_tree import LocalTree
from greyhub.homespace.sync.manifest import Manifest
from greyhub.homespace.sync.plan import UNREADABLE
from greyhub.homespace.sync.progress import Progress
from greyhub.homespace.sync.queue import WorkQueue
from greyhub.homespace.sync.quota import Quota, Usage
from greyhub.homespace.sync.stores.base import Store
from greyhub.homespace.sync.syscalls import expect_many
from greyhub.homespace.sync.user_databases import main_of
from greyhub.homespace.sync.workers import Workers

OFTEN = 1.0
"""Seconds after which whoever wants to know is asked whether to go on."""


class WorkingCopy:
    """A home's local directory, kept in step with its store.

    Parameters
    ----------
    local : Path
        The directory; made if it is not there.
    store : Store
        The home's store: see `greyhub.homespace.sync.stores`.
    state : Path
        A directory for what must be remembered, outside of ``local``.
    quota : Quota
        What the store may hold.
    host : str
        The name of this machine in the names of conflicting versions.

    Raises
    ------
    OSError
        One of the directories cannot be made or written.
    """

    def __init__(
        self,
        local: Path,
        store: Store,
        state: Path,
        *,
        quota: Quota | None = None,
        host: str = "",
        workers: Workers | None = None,
        clock: Callable[[], float] = time.time,
        ticker: Callable[[], float] = time.monotonic,
    ) -> None:
        expect_many()
        local.mkdir(parents=True, exist_ok=True)
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        tree = LocalTree(local.resolve(), host or socket.gethostname().partition(".")[0], clock)
        tree.prepare()
        journal = Journal(state / "journal.sqlite")
        workers = workers or Workers()
        self.context = SyncContext(
            tree, store, journal, Manifest(store, journal), Usage(quota or Quota())
        )
        self.queue = WorkQueue(ticker, workers.wake)
        self.progress = Progress(ticker)
        self.engine = Engine(self.context, self.queue, workers, self.progress)
        self.rules = Rules.of(tree.home)
        self._shut: set[str] = set()
        """Folders that could not be read, each with a slash at its end."""
        self._ground = self._standing()

    def close(self) -> None:
        """Let the journal go. What was not finished is found again at the next start."""
        self.context.journal.close()

    # What may have changed.

    def note(self, paths: list[str]) -> None:
        """Paths that may have changed in the local tree."""
        if FILE in paths:
            self.rules = Rules.of(self.context.tree.home)
        # What is written beside a database is a change of the database.
        every = dict.fromkeys([*paths, *map(main_of, paths)])
        self.queue.note(path for path in every if not self.rules.skips(path))

    def sweep(self, top: str = "") -> int:
        """Go through the local tree for what changed; how much that was.

        Raises
        ------
        greyhub.errors.HomeError
            Another directory, or none, stands where it was.
        """
        if self._standing() != self._ground:
            raise HomeError(
                f"{self.context.tree.home} is not the directory that it was.\n"
                "  fix: stop this server and start it again"
            )
        self.rules = Rules.of(self.context.tree.home)
        shut = {path for path in self._shut if not path.startswith(f"{top}/")} if top else set()
        found = diff.here(self.context, self.rules, top, shut)
        changed = [path for path in found if path not in self.engine.flying]
        self._shut = shut
        self.queue.note(changed, rest=0.0)
        return len(changed)

    def look(self, *, until: Until | None = None) -> int:
        """Go through the store for what changed; how much that was.

        Parameters
        ----------
        until : Until | None
            Asked while the store is waited for; true to give up.

        Raises
        ------
        OSError
            The store did not answer; nothing was concluded from that.
        greyhub.homespace.sync.interruptible.GivenUp
            It was given up, and nothing concluded.
        """
        hours = self.context.tree.clock() / 3600
        changed = ranking.ranked(diff.there(self.context, self.rules, until), hours)
        for rank, path, remote in changed:
            self.queue.found(path, remote, rank)
        return len(changed)

    # What is done about it.

    def restore(self, *, until: Until | None = None) -> None:
        """Bring both sides together, from whatever state they are in.

        Parameters
        ----------
        until : Until | None
            Asked between steps; true to return with the rest still on the queue.

        Raises
        ------
        OSError, greyhub.errors.HomeError
            The store cannot be reached, or holds another home.
        """
        recognise(self.context, until)
        self.sweep()
        self.look(until=until)
        if FILE in self.queue and not (self.context.tree.home / FILE).exists():
            self.settle(until=lambda: FILE not in self.queue and FILE not in self.engine.flying)
            self.rules = Rules.of(self.context.tree.home)
            self.queue.drop(self.rules.skips)
        self.progress.begin(len(self.queue))
        self.settle(until=until)

    def settle(self, deadline: float | None = None, *, until: Until | None = None) -> bool:
        """Work until nothing can be done any more; whether nothing is left.

        Parameters
        ----------
        deadline : float | None
            A time of the ticker after which to return anyway.
        until : Until | None
            Asked between steps; true to return.
        """
        with self.engine.workers.together():
            while not (until is not None and until()):
                if self.engine.idle:
                    return not self.unsaved()
                now = self.queue.clock()
                if deadline is not None and now >= deadline:
                    break
                longest = LONGEST if until is None else OFTEN
                self.engine.step(
                    min(self.engine.pause(), longest, (deadline or now + LONGEST) - now)
                )
        return False

    def flush(self, deadline: float) -> dict[str, str]:
        """Save everything that is still local; what could not be saved, with the reasons.

        Parameters
        ----------
        deadline : float
            A time of the ticker.
        """
        while True:
            self.sweep()
            self.engine.hurry()
            if self.settle(deadline) or self.queue.clock() >= deadline:
                break
            items = self.queue.all()
            if self.engine.idle and not self.engine.trouble and all(item.stuck for item in items):
                break
            self.engine.step(min(0.5, max(0.0, deadline - self.queue.clock())))
        return self.unsaved()

    @property
    def pending(self) -> bool:
        """Whether there is something to do, or to wait for."""
        return bool(len(self.queue) or self.engine.flying or self.context.journal.waiting())

    def unsaved(self) -> dict[str, str]:
        """What the store does not have yet, with the reason if a try came to nothing."""
        left = dict.fromkeys(self._shut, UNREADABLE)
        left.update(self.queue.reasons())
        left.update(dict.fromkeys(self.engine.flying.copy(), ""))
        left.update(dict.fromkeys(self.context.journal.outbox(), ""))
        return left

    def _standing(self) -> tuple[int, int]:
        try:
            status = os.stat(self.context.tree.home)
        except OSError:
            return (0, 0)
        return (status.st_dev, status.st_ino)
