"""One path's work: the action that was decided, done."""

from __future__ import annotations

from dataclasses import dataclass

from greyhub.homespace.sync.desk import Desk, Outcome
from greyhub.homespace.sync.place import Blocked
from greyhub.homespace.sync.plan import Action
from greyhub.homespace.sync.pull import aside, compare, dress, pull, remove
from greyhub.homespace.sync.push import displace, erase, push
from greyhub.homespace.sync.records import Base, Remote, Seen
from greyhub.homespace.sync.stores import Changed


class Looked(Exception):
    """The store was not as expected; this is what it is.

    Parameters
    ----------
    remote : Remote | None
        The path in the store now.
    """

    def __init__(self, path: str, remote: Remote | None) -> None:
        super().__init__(path)
        self.remote = remote


@dataclass(frozen=True)
class Task:
    """What is to be done with one path, and what was known when that was decided."""

    action: Action
    path: str
    local: Seen | None
    base: Base | None
    remote: Remote | None

    @property
    def size(self) -> int:
        """About how many bytes it moves."""
        if self.action is Action.PUSH and self.local:
            return self.local.size
        if self.action in (Action.PULL, Action.COMPARE) and self.remote:
            return self.remote.size
        return 0


def perform(desk: Desk, task: Task) -> Outcome:
    """Do it.

    Raises
    ------
    Looked
        The store was not as expected: decide anew.
    """
    try:
        return _perform(desk, task)
    except (Changed, FileNotFoundError):
        raise Looked(task.path, desk.remote(task.path)) from None
    except Blocked as blocked:
        if blocked.path != task.path:
            moved = aside(desk, blocked.path).moved
            return Outcome(done=False, moved=moved)
        raise


def _perform(desk: Desk, task: Task) -> Outcome:
    path, local, base, remote = task.path, task.local, task.base, task.remote
    match task.action:
        case Action.PUSH if local:
            return push(desk, path, local, base, remote)
        case Action.PULL if remote:
            return pull(desk, path, local, remote)
        case Action.ERASE if base:
            return erase(desk, path, base, remote)
        case Action.REMOVE if local:
            return remove(desk, path, local)
        case Action.DRESS if local and remote:
            return dress(desk, path, local, base, remote)
        case Action.COMPARE if local and remote:
            return compare(desk, path, local, base, remote)
        case Action.ASIDE:
            return aside(desk, path)
        case Action.DISPLACE if remote:
            return displace(desk, path, remote)
    raise AssertionError(f"{task} cannot be done")
