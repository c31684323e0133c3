"""The crew of a working copy: takes what is due from the agenda and sees it done.

One thread decides, and remembers what was done; the lanes wait on the store.
"""

from __future__ import annotations

from typing import Any, Final

from greyhub.homespace.sync.agenda import REST, Agenda, Item
from greyhub.homespace.sync.desk import Damaged, Desk, Full, Outcome
from greyhub.homespace.sync.keys import META
from greyhub.homespace.sync.lanes import LARGE, Lanes, Result
from greyhub.homespace.sync.place import Blocked, Busy, Moved
from greyhub.homespace.sync.plan import Action, decide
from greyhub.homespace.sync.progress import Progress
from greyhub.homespace.sync.push import bury
from greyhub.homespace.sync.records import Base, Seen
from greyhub.homespace.sync.source import LocalTrouble, Unstable
from greyhub.homespace.sync.system import make_durable
from greyhub.homespace.sync.work import Looked, Task, perform

SOON: Final = 0.1
LONGEST: Final = 30.0
"""Seconds between two tries of what does not succeed."""

PATIENT: Final = 3
"""Tries after which a path is no longer waited for."""

TOGETHER: Final = 1.0
"""Seconds of work that the manifest and the journal are told of at once."""


class Crew:
    """Does what is on an agenda.

    Parameters
    ----------
    desk : Desk
        The working copy.
    agenda : Agenda
        What may need something done.
    lanes : Lanes
        Where it is done.
    progress : Progress
        Told of all that is done.
    """

    def __init__(self, desk: Desk, agenda: Agenda, lanes: Lanes, progress: Progress) -> None:
        self.desk, self.agenda, self.lanes, self.progress = desk, agenda, lanes, progress
        self.flying: dict[str, tuple[Task, Item]] = {}
        """What is under way, by its path."""
        self.trouble = ""
        """Why the store cannot be reached, while it cannot."""
        self.owed: dict[str, int] = {}
        """Files that could not be sent so far, as inodes: their old names' objects stay."""
        self._landed: list[tuple[str, Base]] = []
        self._telling = False
        self._silence = self._told = self._noted = 0.0
        self._failures = self._rounds = 0

    @property
    def idle(self) -> bool:
        """Nothing is under way, and what is left waits for something outside."""
        if self.flying or self._telling or self._landed:
            return False
        if self.desk.journal.waiting() and not self.trouble:
            return False
        return all(item.tries >= PATIENT for item in self.agenda.all())

    def hurry(self) -> None:
        """Try everything now, whatever it was waiting for."""
        self._silence = 0.0
        self.agenda.hurry()

    def step(self, wait: float = 0.0) -> None:
        """Start what is due, then take in what is finished; wait so long for something."""
        if self.agenda.clock() >= self._silence:
            self._start()
            self._tell()
        self._finish(self.lanes.take(wait))
        self._remember()

    def pause(self) -> float:
        """Seconds until there is something to do; infinite if only from outside."""
        now = self.agenda.clock()
        wait = self.agenda.wait() if self._room() else float("inf")
        if self.desk.journal.waiting() and not self._telling:
            wait = min(wait, self._told + TOGETHER - now if self.flying else 0.0)
        wait = max(wait, self._silence - now)
        if self._landed:
            every = len(self._landed) == len(self.flying)
            wait = min(wait, 0.0 if every else self._noted + TOGETHER - now)
        return max(0.0, wait)

    def _room(self) -> bool:
        return self.lanes.room("small") and self.lanes.room("large")

    # Starting what is due.

    def _start(self) -> None:
        if not self.flying:
            self.desk.usage.count(*self.desk.journal.total())
        ends: list[tuple[Task, Item]] = []
        while self._room() and len(ends) < 500:
            due = self.agenda.due()
            if due is None:
                break
            path, item = due
            if path in self.flying:
                self.agenda.later(path, item, SOON)
                continue
            task = self._decide(path, item)
            if task is None:
                continue
            if self._must_wait(task):
                item.tries += not self.flying
                self.agenda.later(path, item, SOON)
            elif task.action is Action.ERASE:
                ends.append((task, item))
            else:
                self._launch(task, item)
        ripe = [(task, item) for task, item in ends if self._is_ripe(task, item)]
        with self.desk.journal.changing():
            for task, _ in ripe:
                bury(self.desk, task.path, task.base)  # all of them in one batch
        for task, item in ripe:
            self._launch(task, item)

    def _is_ripe(self, task: Task, item: Item) -> bool:
        """Whether an object may go now: one whose file was renamed has its new name first."""
        file = task.base is not None and task.base.seen.kind == "file"
        if not file or (item.ending and self._room() and not self._must_wait(task)):
            return True
        item.ending = True
        self.agenda.later(task.path, item, REST)
        return False

    def _decide(self, path: str, item: Item) -> Task | None:
        """What is to be done with a path, or None if nothing."""
        desk = self.desk
        local, base = desk.place.look(path), desk.journal.base(path)
        remote: Any = item.remote[0] if item.remote else desk.assumed(path, base)
        tomb = desk.journal.entry(path) if remote is None else None
        action = decide(local, base, remote, tomb)
        if action is not Action.PUSH:
            self.owed.pop(path, None)
        if action is not Action.ERASE:
            item.ending = False
        if action is Action.WAIT:
            item.tries += 1
            self.agenda.later(path, item, _delay(item), "it cannot be read")
            return None
        if action is Action.REMOVE and base and base.seen.kind == "folder" and self._lives(path):
            action = Action.PUSH  # its end was decided before what is in it came
        if action is Action.FORGET:
            desk.journal.rebase(path, None)
        if action in (Action.NOTHING, Action.FORGET):
            return None
        return Task(action, path, local if isinstance(local, Seen) else None, base, remote)

    def _must_wait(self, task: Task) -> bool:
        """Whether something that is under way, or will be, has to come first."""
        local, base = task.local, task.base
        if task.action is Action.PULL and task.remote and task.remote.entry:
            twin = task.remote.entry.same
            item = self.agenda.items.get(twin)
            return twin < task.path and (
                twin in self.flying or (item is not None and item.tries < PATIENT)
            )
        if task.action is Action.REMOVE and local and local.kind == "folder":
            return self.desk.journal.holds(task.path)
        inodes = {other.local.inode for other, _ in self.flying.values() if other.local}
        if task.action is Action.PUSH and local and local.names > 1:
            return local.inode in inodes
        if task.action is Action.ERASE and base and base.seen.kind == "file":
            # It was renamed: until the new name has it, the store is to have the old one.
            return base.seen.inode in inodes or base.seen.inode in self.owed.values()
        return False

    def _lives(self, folder: str) -> bool:
        """Whether a folder holds something on both sides, about which nothing is pending."""
        below = f"{folder}/"
        pending = [*self.flying, *self.agenda.reasons()]
        return self.desk.journal.holds(folder) and not any(p.startswith(below) for p in pending)

    def _launch(self, task: Task, item: Item) -> None:
        self.flying[task.path] = (task, item)
        self.lanes.start(
            "large" if task.size > LARGE else "small",
            task.path,
            lambda: perform(self.desk, task),
        )

    def _tell(self) -> None:
        """Tell the manifest what was done: at once if nothing else is under way."""
        now = self.agenda.clock()
        if self._telling or (self.flying and now < self._told + TOGETHER):
            return
        if self.desk.journal.waiting():
            self._telling = True
            self.lanes.start("small", META, self.desk.manifest.publish)

    # Taking in what is finished.

    def _finish(self, results: list[Result]) -> None:
        for path, outcome, error in results:
            if path == META:
                self._telling, self._told = False, self.agenda.clock()
                self._failed(error) if error else self._succeeded()
                continue
            task, item = self.flying[path]
            if error is None:
                self._succeeded()
                self.owed.pop(path, None)
                if outcome.agreed:
                    self._landed.append((path, outcome.agreed))
                else:
                    del self.flying[path]
                self._take(path, item, outcome)
            else:
                del self.flying[path]
                if task.action is Action.PUSH and task.local and task.local.inode:
                    self.owed[path] = task.local.inode
                self._retry(path, item, error)

    def _remember(self) -> None:
        """Write into the journal what landed: many at once, for the disk's sake."""
        now = self.agenda.clock()
        waiting = len(self._landed) < len(self.flying)
        if not self._landed or (waiting and now < self._noted + TOGETHER):
            return
        # A row that outlives its file in a crash would make the loss look like an edit.
        make_durable(self.desk.place.home)
        with self.desk.journal.changing():
            for path, base in self._landed:
                self.desk.journal.rebase(path, base)
        for path, _ in self._landed:
            del self.flying[path]
        self._landed.clear()
        self._noted = now

    def _take(self, path: str, item: Item, outcome: Outcome) -> None:
        self.progress.add(path, outcome.bytes)
        if not outcome.done:
            item.remote = outcome.looked or item.remote
            item.tries += 1
            self.agenda.later(path, item, 0.0 if item.tries < PATIENT else _delay(item))
        self.agenda.note([each for each in outcome.moved if each != path], rest=0.0)

    def _retry(self, path: str, item: Item, error: BaseException) -> None:
        """Put a path back that came to nothing this time."""
        item.tries += 1
        item.stuck = isinstance(error, Busy | Full | Damaged)
        delay, reason = _delay(item), _reason(error)
        if isinstance(error, Looked):
            item.remote = [error.remote]
            delay, reason = (0.0 if item.tries < PATIENT else delay), ""
        elif isinstance(error, Moved | Unstable):
            reason = "it is being changed"
        elif isinstance(error, Blocked):
            self.agenda.note([error.path], rest=0.0)
        elif item.stuck:
            delay = max(delay, 2.0)
        elif not self._is_local(error):
            self._failed(error)
        self.agenda.later(path, item, delay, reason)

    def _is_local(self, error: BaseException) -> bool:
        """Whether the local disk is to blame, and not the store."""
        name = getattr(error, "filename", None)
        inside = f"{self.desk.place.home}/"
        return isinstance(error, LocalTrouble) or (name and str(name).startswith(inside)) or False

    def _succeeded(self) -> None:
        self._failures = self._rounds = 0
        self.trouble = ""

    def _failed(self, error: BaseException) -> None:
        """The store did not do what it was asked; if that goes on, leave it in peace a while."""
        now = self.agenda.clock()
        self._failures += 1
        self.trouble = _reason(error)
        if self._failures >= PATIENT and now >= self._silence:
            self._silence = now + min(2.0**self._rounds / 4, LONGEST)
            self._rounds += 1


def _delay(item: Item) -> float:
    return float(min(SOON * 2 ** min(item.tries, 12), LONGEST))


def _reason(error: BaseException) -> str:
    """An error as a line for people."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())[:300]
