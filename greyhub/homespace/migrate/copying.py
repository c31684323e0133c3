"""Copy one home: in parallel, verified, and resumable wherever it was ended."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from greyhub.errors import HomeError
from greyhub.homespace.migrate.endpoint import Endpoint, Item, Unexpected
from greyhub.homespace.migrate.plan import Action, Step, beside, plan
from greyhub.homespace.migrate.retry import PATIENCE, SETTLED, reason, with_retry
from greyhub.homespace.sync.journal import Journal
from greyhub.homespace.sync.plan import UNREADABLE
from greyhub.homespace.sync.progress import Progress
from greyhub.homespace.sync.records import Base
from greyhub.homespace.sync.workers import LARGE, Workers

TOGETHER: Final = 1.0
"""Seconds of work that are remembered at once."""

BLOCKED: Final = "something else is in the destination where a folder belongs"

ENOUGH: Final = 20
"""Failures without a success between them after which the rest is not tried."""


@dataclass
class Copied:
    """What became of one home."""

    source: str
    target: str
    files: int = 0
    bytes: int = 0
    copied: int = 0
    same: int = 0
    """What was there already."""
    beside: dict[str, str] = field(default_factory=dict)
    """What was put under another name, since something else had its own."""
    failed: dict[str, str] = field(default_factory=dict)
    extra: int = 0
    """What is in the destination only; it stays."""
    seconds: float = 0.0
    dry: bool = False

    @property
    def whole(self) -> bool:
        """Whether all of the source is in the destination now."""
        return not self.failed and not self.dry


@dataclass(frozen=True)
class Done:
    """One path that is in the destination now."""

    mark: str = ""
    digest: str = ""
    name: str = ""
    """The name that it got, if not its own."""
    sent: bool = True


class Copying:
    """One home on its way.

    Parameters
    ----------
    source, target : Endpoint
        From where to where. Nothing is changed in the source.
    journal : Journal
        Remembers what was copied.
    progress : Progress
        Told how far it has come.
    tick : callable
        Called now and then.
    patience : float
        Seconds to go on asking a store that does not answer.
    """

    def __init__(
        self,
        source: Endpoint,
        target: Endpoint,
        journal: Journal,
        *,
        progress: Progress | None = None,
        tick: Callable[[], None] = lambda: None,
        workers: Workers | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.source, self.target, self.journal = source, target, journal
        self.progress, self.tick = progress or Progress(time.monotonic), tick
        self.workers, self.patience = workers or Workers(), patience
        self.report = Copied(source.name, target.name)
        self._landed: list[tuple[Item, Done]] = []
        self._noted = time.monotonic()
        self._failures = 0

    def run(self, *, dry: bool = False, empty: bool = False) -> Copied:
        """Copy all that is not there yet, or only tell what that would be.

        Parameters
        ----------
        dry : bool
            Only tell.
        empty : bool
            There may be no home, or nothing in it.

        Raises
        ------
        greyhub.errors.HomeError
            There is no such home, or a store does not do what it is asked.
        OSError
            A endpoint cannot be looked at.
        """
        began = time.monotonic()
        steps = self._steps(empty)
        self.report.dry = dry
        if dry:
            self._tell(steps)
        else:
            self._do(steps)
        self.report.seconds = time.monotonic() - began
        return self.report

    def _steps(self, empty: bool) -> list[Step]:
        items = self._look(self.source)
        if not items and not empty and not self.source.unreadable:
            raise HomeError(
                f"there is no home at {self.source.name}, or it is empty: nothing was copied.\n"
                "  fix: look whether the place and the user's name are right"
            )
        there = self._look(self.target)
        self.report.failed.update(dict.fromkeys(self.source.unreadable, UNREADABLE))
        self.report.extra = len(there.keys() - items.keys())
        self.report.files = sum(item.kind == "file" for item in items.values())
        self.report.bytes = sum(item.size for item in items.values())
        return list(plan(items, there, dict(self.journal.bases())))

    def _look(self, endpoint: Endpoint) -> dict[str, Item]:
        found = with_retry(lambda: list(endpoint.items()), endpoint.renew, self.patience)
        return {item.path: item for item in found}

    def _tell(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if step.action is Action.SAME:
                self.report.same += step.item.kind != "folder"
            elif step.action is Action.REFUSE:
                self.report.failed[step.item.path] = BLOCKED
            elif step.action is Action.COPY or step.action is Action.REPLACE:
                self.report.copied += step.item.kind == "file"
            else:
                self.report.beside[step.item.path] = ""

    # Doing it.

    def _do(self, steps: list[Step]) -> None:
        folders = [step for step in steps if step.item.kind == "folder"]
        rest = [step for step in steps if step.item.kind != "folder"]
        work = [step for step in rest if step.action is not Action.SAME]
        self.report.same += sum(step.action is Action.SAME for step in rest)
        self.progress.begin(len(work), sum(step.item.size for step in work))
        for step in folders:
            self._folder(step, final=False)
        # A second name of a file is made when the first one is there.
        self._all(step for step in work if not step.item.same)
        self._remember()
        self._all(step for step in work if step.item.same)
        for step in reversed(folders):
            self._folder(step, final=True)
        self._remember()
        with_retry(lambda: self.target.settle(final=True), self.target.renew, self.patience)

    def _folder(self, step: Step, *, final: bool) -> None:
        if step.action is Action.REFUSE:
            self.report.failed[step.item.path] = BLOCKED
            return
        try:
            with_retry(
                lambda: self.target.make(step.item, final=final), self.target.renew, self.patience
            )
        except Exception as error:
            self._fail(step.item.path, error)

    def _all(self, steps: Iterable[Step]) -> None:
        waiting: dict[str, deque[Step]] = {"small": deque(), "large": deque()}
        for step in steps:
            if step.action is Action.REFUSE:
                self.report.failed[step.item.path] = BLOCKED
                continue
            waiting["large" if step.item.size > LARGE else "small"].append(step)
        flying: dict[str, Step] = {}
        while any(waiting.values()) or flying:
            for lane, queue in waiting.items():
                while queue and self.workers.room(lane):  # type: ignore[arg-type]
                    step = queue.popleft()
                    flying[step.item.path] = step
                    self._launch(lane, step)
            for path, done, error in self.workers.take(0.2):
                step = flying.pop(path)
                if error is not None:
                    self._fail(path, error)
                else:
                    self._take(step, done)
            if time.monotonic() > self._noted + TOGETHER:
                self._remember()
            self.tick()

    def _launch(self, lane: Any, step: Step) -> None:
        def work() -> Done:
            return with_retry(lambda: self._one(step), self._renew, self.patience)

        self.workers.start(lane, step.item.path, work)

    def _renew(self) -> None:
        self.source.renew()
        self.target.renew()

    def _one(self, step: Step) -> Done:
        item, there = step.item, step.there
        if item.kind == "link":
            return self._link(step)
        if item.same and step.action is Action.COPY and (twin := self._twin(item)):
            return twin
        with self.source.open(item) as content:
            if step.action is Action.COPY:
                try:
                    return Done(*self.target.put(item, content, None))
                except Unexpected:  # an answer was lost, or somebody else was here
                    there = self.target.find(item.path)
                    if there is None:
                        raise HomeError(BLOCKED) from None
            elif step.action is Action.REPLACE and there is not None:
                return Done(*self.target.put(item, content, there.mark))
            digest = item.digest or _digest(content)
            if there is not None and there.kind == "file" and self._alike(there, digest):
                self.target.describe(item, there.mark, digest)
                now = self.target.find(item.path)  # a directory's mark tells the time, too
                return Done(now.mark if now else "", digest, sent=False)
            name = beside(item, digest)
            try:
                return Done(*self.target.put(name, content, None), name.path)
            except Unexpected:
                taken = self.target.find(name.path)
                if taken is None or self.target.digest(taken) != digest:
                    raise
                return Done(taken.mark, digest, name.path, sent=False)

    def _alike(self, there: Item, digest: str) -> bool:
        return (there.digest or self.target.digest(there)) == digest

    def _twin(self, item: Item) -> Done | None:
        """Make another name of a file that is there, where the destination has such."""
        base = self.journal.base(item.same)
        if base is None or not self.target.names:
            return None
        try:
            self.target.make(item, final=True)
        except Unexpected:
            return None
        return Done(base.tag, base.digest)

    def _link(self, step: Step) -> Done:
        item = beside(step.item, "") if step.action is Action.BESIDE else step.item
        try:
            self.target.make(item, final=True)
        except Unexpected:
            now = self.target.find(item.path)
            if now is None or (now.kind, now.target) != ("link", item.target):
                raise
        return Done(name="" if item is step.item else item.path)

    # What came of it.

    def _take(self, step: Step, done: Done) -> None:
        if step.item.kind == "file":  # a link is only written down, and proves no store
            self._failures = 0
        self.progress.add(step.item.path, step.item.size)
        if done.name:
            self.report.beside[step.item.path] = done.name
        elif done.sent:
            self.report.copied += 1
        else:
            self.report.same += 1
        if step.item.kind == "file" and done.mark and not done.name:
            self._landed.append((step.item, done))

    def _remember(self) -> None:
        self._noted = time.monotonic()
        if not self._landed:
            return
        # What is remembered is not looked at again, so it has to outlive a crash.
        self.target.settle(final=False)
        with self.journal.changing():
            for item, done in self._landed:
                base = Base(item.seen, done.mark, done.digest, size=item.size)
                self.journal.rebase(item.path, base)
        self._landed.clear()

    def _fail(self, path: str, error: BaseException) -> None:
        self.report.failed[path] = reason(error)
        self._failures += not isinstance(error, SETTLED)
        if self._failures >= ENOUGH:
            self._remember()
            raise HomeError(
                f"{self._failures} files one after the other could not be copied from "
                f"{self.source.name} to {self.target.name}, the last one since {reason(error)}.\n"
                "  fix: see to that, and run the same command again: it goes on from here"
            )


def _digest(content: Any) -> str:
    for _ in content.chunks():
        pass
    return str(content.seal())
