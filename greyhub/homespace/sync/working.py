"""The working copy: a local tree that is kept in step with a store.

What changes on either side comes onto the agenda, and the crew sees it done.
All of it can be ended at any moment and begun again.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from greyhub.errors import HomeError
from greyhub.homespace.sync import survey
from greyhub.homespace.sync.agenda import Agenda
from greyhub.homespace.sync.crew import LONGEST, Crew
from greyhub.homespace.sync.databases import main_of
from greyhub.homespace.sync.desk import Desk, Quota, Usage
from greyhub.homespace.sync.identity import recognise
from greyhub.homespace.sync.ignore import FILE, Rules
from greyhub.homespace.sync.journal import Journal
from greyhub.homespace.sync.lanes import Lanes
from greyhub.homespace.sync.manifest import Manifest
from greyhub.homespace.sync.place import Place
from greyhub.homespace.sync.plan import UNREADABLE
from greyhub.homespace.sync.progress import Progress
from greyhub.homespace.sync.stores import Store
from greyhub.homespace.sync.system import expect_many
from greyhub.homespace.sync.waiting import Until

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
        lanes: Lanes | None = None,
        clock: Callable[[], float] = time.time,
        ticker: Callable[[], float] = time.monotonic,
    ) -> None:
        expect_many()
        local.mkdir(parents=True, exist_ok=True)
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = Place(local.resolve(), host or socket.gethostname().partition(".")[0], clock)
        place.prepare()
        journal = Journal(state / "journal.sqlite")
        lanes = lanes or Lanes()
        self.desk = Desk(place, store, journal, Manifest(store, journal), Usage(quota or Quota()))
        self.agenda = Agenda(ticker, lanes.wake)
        self.progress = Progress(ticker)
        self.crew = Crew(self.desk, self.agenda, lanes, self.progress)
        self.rules = Rules.of(place.home)
        self._shut: set[str] = set()
        """Folders that could not be read, each with a slash at its end."""
        self._ground = self._standing()

    def close(self) -> None:
        """Let the journal go. What was not finished is found again at the next start."""
        self.desk.journal.close()

    # What may have changed.

    def note(self, paths: list[str]) -> None:
        """Paths that may have changed in the local tree."""
        if FILE in paths:
            self.rules = Rules.of(self.desk.place.home)
        # What is written beside a database is a change of the database.
        every = dict.fromkeys([*paths, *map(main_of, paths)])
        self.agenda.note(path for path in every if not self.rules.skips(path))

    def sweep(self, top: str = "") -> int:
        """Go through the local tree for what changed; how much that was.

        Raises
        ------
        greyhub.errors.HomeError
            Another directory, or none, stands where it was.
        """
        if self._standing() != self._ground:
            raise HomeError(
                f"{self.desk.place.home} is not the directory that it was.\n"
                "  to mend: stop this server and start it again"
            )
        self.rules = Rules.of(self.desk.place.home)
        shut = {path for path in self._shut if not path.startswith(f"{top}/")} if top else set()
        found = survey.here(self.desk, self.rules, top, shut)
        changed = [path for path in found if path not in self.crew.flying]
        self._shut = shut
        self.agenda.note(changed, rest=0.0)
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
        greyhub.homespace.sync.waiting.GivenUp
            It was given up, and nothing concluded.
        """
        hours = self.desk.place.clock() / 3600
        changed = survey.ranked(survey.there(self.desk, self.rules, until), hours)
        for rank, path, remote in changed:
            self.agenda.found(path, remote, rank)
        return len(changed)

    # What is done about it.

    def restore(self, *, until: Until | None = None) -> None:
        """Bring both sides together, from whatever state they are in.

        Parameters
        ----------
        until : Until | None
            Asked between steps; true to return with the rest still on the agenda.

        Raises
        ------
        OSError, greyhub.errors.HomeError
            The store cannot be reached, or holds another home.
        """
        recognise(self.desk, until)
        self.sweep()
        self.look(until=until)
        if FILE in self.agenda and not (self.desk.place.home / FILE).exists():
            self.settle(until=lambda: FILE not in self.agenda and FILE not in self.crew.flying)
            self.rules = Rules.of(self.desk.place.home)
            self.agenda.drop(self.rules.skips)
        self.progress.begin(len(self.agenda))
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
        with self.crew.lanes.together():
            while not (until is not None and until()):
                if self.crew.idle:
                    return not self.unsaved()
                now = self.agenda.clock()
                if deadline is not None and now >= deadline:
                    break
                longest = LONGEST if until is None else OFTEN
                self.crew.step(min(self.crew.pause(), longest, (deadline or now + LONGEST) - now))
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
            self.crew.hurry()
            if self.settle(deadline) or self.agenda.clock() >= deadline:
                break
            items = self.agenda.all()
            if self.crew.idle and not self.crew.trouble and all(item.stuck for item in items):
                break
            self.crew.step(min(0.5, max(0.0, deadline - self.agenda.clock())))
        return self.unsaved()

    @property
    def pending(self) -> bool:
        """Whether there is something to do, or to wait for."""
        return bool(len(self.agenda) or self.crew.flying or self.desk.journal.waiting())

    def unsaved(self) -> dict[str, str]:
        """What the store does not have yet, with the reason if a try came to nothing."""
        left = dict.fromkeys(self._shut, UNREADABLE)
        left.update(self.agenda.reasons())
        left.update(dict.fromkeys(self.crew.flying.copy(), ""))
        left.update(dict.fromkeys(self.desk.journal.outbox(), ""))
        return left

    def _standing(self) -> tuple[int, int]:
        try:
            status = os.stat(self.desk.place.home)
        except OSError:
            return (0, 0)
        return (status.st_dev, status.st_ino)
