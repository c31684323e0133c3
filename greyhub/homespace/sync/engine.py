"""The sync engine: takes due paths from the queue, plans them and runs the transfers.

One thread decides, and remembers what was done; the workers wait on the store.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from greyhub.homespace.sync.actions import Looked, Task, finish, perform, prepare
from greyhub.homespace.sync.context import Damaged, Outcome, SyncContext, assumed
from greyhub.homespace.sync.erase import bury
from greyhub.homespace.sync.keys import META
from greyhub.homespace.sync.local_tree import Blocked, Busy, Moved
from greyhub.homespace.sync.pending_writes import NOTE, TOGETHER, PendingWrites
from greyhub.homespace.sync.plan import UNREADABLE, Action, decide
from greyhub.homespace.sync.prefetch import Prefetch
from greyhub.homespace.sync.progress import Progress
from greyhub.homespace.sync.queue import REST, Item, WorkQueue
from greyhub.homespace.sync.quota import Full
from greyhub.homespace.sync.records import Seen
from greyhub.homespace.sync.source import LocalTrouble, Unstable
from greyhub.homespace.sync.workers import LARGE, Lane, Result, Workers

SOON: Final = 0.1
LONGEST: Final = 30.0
"""Seconds between two tries of what does not succeed."""

PATIENT: Final = 3
"""Tries after which a path is no longer waited for."""


class Engine:
    """Does what is on a queue.

    Parameters
    ----------
    context : SyncContext
        The working copy.
    queue : Agenda
        What may need something done.
    workers : Lanes
        Where it is done.
    progress : Progress
        Told of all that is done.
    """

    def __init__(
        self, context: SyncContext, queue: WorkQueue, workers: Workers, progress: Progress
    ) -> None:
        self.context, self.queue, self.workers, self.progress = context, queue, workers, progress
        self.flying: dict[str, tuple[Task, Item]] = {}
        """What is under way, by its path."""
        self.trouble = ""
        """Why the store cannot be reached, while it cannot."""
        self.owed: dict[str, int] = {}
        """Files that could not be sent so far, as inodes: their old names' objects stay."""
        self._landing = PendingWrites(context, workers, queue.clock)
        self._telling = False
        self._silence = self._told = 0.0
        self._failures = self._rounds = 0

    @property
    def idle(self) -> bool:
        """Nothing is under way, and what is left waits for something outside."""
        if self.flying or self._telling:
            return False
        if self.context.journal.waiting() and not self.trouble:
            return False
        return all(item.tries >= PATIENT for item in self.queue.all())

    def hurry(self) -> None:
        """Try everything now, whatever it was waiting for."""
        self._silence = 0.0
        self.queue.hurry()

    def step(self, wait: float = 0.0) -> None:
        """Start what is due, then take in what is finished; wait so long for something."""
        if self.queue.clock() >= self._silence:
            self._start()
            self._tell()
        if results := self.workers.take(wait):
            self._finish(results)
        self._landing.note(len(self.flying))

    def pause(self) -> float:
        """Seconds until there is something to do; infinite if only from outside."""
        now = self.queue.clock()
        wait = self.queue.wait() if self._room() else float("inf")
        if self.context.journal.waiting() and not self._telling:
            wait = min(wait, self._told + TOGETHER - now if self.flying else 0.0)
        wait = max(wait, self._silence - now)
        return max(0.0, min(wait, self._landing.wait(len(self.flying))))

    def _room(self) -> int:
        return min(self.workers.room("small"), self.workers.room("large"))

    # Starting what is due.

    def _start(self) -> None:
        if not self.flying:
            self.context.usage.count(*self.context.journal.total())
        ends: list[tuple[Task, Item]] = []
        while len(ends) < 500 and (coming := self.queue.coming(self._room())):
            glance = Prefetch(self.context, coming)
            tasks: list[Task] = []
            for path, item in filter(None, (self.queue.due() for _ in coming)):
                task = self._begin(path, item, glance)
                if task is None:
                    continue
                if task.action is Action.ERASE:
                    ends.append((task, item))
                else:
                    self.flying[path] = (task, item)
                    tasks.append(task)
            self._launch(tasks)
        self._end([(task, item) for task, item in ends if self._is_ripe(task, item)])

    def _end(self, ripe: list[tuple[Task, Item]]) -> None:
        """Start what takes objects away."""
        if not ripe:
            return
        with self.context.journal.changing():
            for task, _ in ripe:
                bury(self.context, task.path, task.base)  # all of them in one batch
        self.flying.update((task.path, (task, item)) for task, item in ripe)
        self._launch([task for task, _ in ripe])

    def _begin(self, path: str, item: Item, glance: Prefetch) -> Task | None:
        """What is to be done with one path now, or None if nothing."""
        if path in self.flying:
            self.queue.later(path, item, SOON)
            return None
        task = self._decide(path, item, glance)
        if task is not None and self._must_wait(task):
            # What waits for another name of its file will come: that one comes, or fails.
            item.tries += not self.flying and task.action is not Action.PULL
            self.queue.later(path, item, SOON)
            return None
        return task

    def _launch(self, tasks: list[Task]) -> None:
        """Have the workers do it; what is small was read before, and intended together."""
        sources = {task.path: prepare(self.context, task) for task in tasks}
        read = [(path, source.digest()) for path, source in sources.items() if source]
        try:
            self.context.journal.intend(read)
        except BaseException:
            for task in tasks:
                self.queue.later(task.path, self.flying.pop(task.path)[1], SOON)
            raise
        for task in tasks:
            lane: Lane = "large" if task.size > LARGE else "small"
            self.workers.start(
                lane, task.path, partial(perform, self.context, task, sources[task.path])
            )

    def _is_ripe(self, task: Task, item: Item) -> bool:
        """Whether an object may go now: one whose file was renamed has its new name first."""
        file = task.base is not None and task.base.seen.kind == "file"
        if not file or (item.ending and self._room() and not self._must_wait(task)):
            return True
        item.ending = True
        self.queue.later(task.path, item, REST)
        return False

    def _decide(self, path: str, item: Item, glance: Prefetch) -> Task | None:
        """What is to be done with a path, or None if nothing."""
        context, base = self.context, glance.base(path)
        # What nothing was ever heard of here is taken for absent: nothing is put over it.
        absent = base is None and not item.here and not item.tries
        local = None if absent else glance.local(path)
        remote: Any = item.remote[0] if item.remote else assumed(base, glance.entry(path))
        tomb = glance.entry(path) if remote is None else None
        action = decide(local, base, remote, tomb)
        if action is not Action.PUSH:
            self.owed.pop(path, None)
        if action is not Action.ERASE:
            item.ending = False
        if action is Action.WAIT:
            item.tries += 1
            self.queue.later(path, item, _delay(item), UNREADABLE)
            return None
        if action is Action.REMOVE and base and base.seen.kind == "folder" and self._lives(path):
            action = Action.PUSH  # its end was decided before what is in it came
        if action is Action.FORGET:
            context.journal.rebase(path, None)
        if action in (Action.NOTHING, Action.FORGET):
            return None
        return Task(action, path, local if isinstance(local, Seen) else None, base, remote)

    def _must_wait(self, task: Task) -> bool:
        """Whether something that is under way, or will be, has to come first."""
        local, base = task.local, task.base
        if task.action is Action.PULL and task.remote and task.remote.entry:
            twin = task.remote.entry.same
            item = self.queue.items.get(twin)
            coming = item is not None and item.remote and item.tries < PATIENT
            return twin < task.path and (twin in self.flying or bool(coming))
        if task.action is Action.REMOVE and local and local.kind == "folder":
            return self.context.journal.holds(task.path)
        if task.action is Action.PUSH and local and local.names > 1:
            return self._flies(local.inode)
        if task.action is Action.ERASE and base and base.seen.kind == "file":
            # It was renamed: until the new name has it, the store is to have the old one.
            return self._flies(base.seen.inode) or base.seen.inode in self.owed.values()
        return False

    def _flies(self, inode: int) -> bool:
        return any(task.local and task.local.inode == inode for task, _ in self.flying.values())

    def _lives(self, folder: str) -> bool:
        """Whether a folder holds something on both sides, about which nothing is pending."""
        below = f"{folder}/"
        pending = [*self.flying, *self.queue.reasons()]
        return self.context.journal.holds(folder) and not any(p.startswith(below) for p in pending)

    def _tell(self) -> None:
        """Tell the manifest what was done: at once if nothing else is under way."""
        now = self.queue.clock()
        if self._telling or (self.flying and now < self._told + TOGETHER):
            return
        if self.context.journal.waiting():
            self._telling = True
            self.workers.start("small", META, self.context.manifest.publish)

    # Taking in what is finished.

    def _finish(self, results: list[Result]) -> None:
        own = {path: error for path, _, error in results if path in (META, NOTE)}
        if META in own:
            self._telling, self._told = False, self.queue.clock()
            trouble = own[META]
            self._failed(trouble) if trouble else self._succeeded()
        with self.context.journal.changing():  # one commit for all of them
            for path, outcome, error in results:
                if path not in own:
                    self._take(path, outcome, error)
        if NOTE in own:
            for path in self._landing.noted(own[NOTE]):
                del self.flying[path]

    def _take(self, path: str, outcome: Outcome, error: BaseException | None) -> None:
        task, item = self.flying[path]
        if error is None:
            try:
                outcome = finish(self.context, task, outcome)
            except Exception as trouble:
                error = trouble
        if error is None:
            self._succeeded()
            self.owed.pop(path, None)
            if outcome.agreed:
                self._landing.add(path, outcome.agreed)
            else:
                del self.flying[path]
            self._tick_off(path, item, outcome)
        else:
            del self.flying[path]
            if task.action is Action.PUSH and task.local and task.local.inode:
                self.owed[path] = task.local.inode
            self._retry(path, item, error)

    def _tick_off(self, path: str, item: Item, outcome: Outcome) -> None:
        self.progress.add(path, outcome.bytes)
        if not outcome.done:
            item.remote = outcome.looked or item.remote
            item.tries += 1
            self.queue.later(path, item, 0.0 if item.tries < PATIENT else _delay(item))
        if moved := [each for each in outcome.moved if each != path]:
            self.queue.note(moved, rest=0.0)

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
            self.queue.note([error.path], rest=0.0)
        elif item.stuck:
            delay = max(delay, 2.0)
        elif not self._is_local(error):
            self._failed(error)
        self.queue.later(path, item, delay, reason)

    def _is_local(self, error: BaseException) -> bool:
        """Whether the local disk is to blame, and not the store."""
        name = getattr(error, "filename", None)
        inside = f"{self.context.tree.home}/"
        return isinstance(error, LocalTrouble) or (name and str(name).startswith(inside)) or False

    def _succeeded(self) -> None:
        self._failures = self._rounds = 0
        self.trouble = ""

    def _failed(self, error: BaseException) -> None:
        """The store did not do what it was asked; if that goes on, leave it in peace a while."""
        now = self.queue.clock()
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
