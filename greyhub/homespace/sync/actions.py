"""Carry out the planned action for one path."""

from __future__ import annotations

from dataclasses import dataclass

from greyhub.homespace.sync.context import Outcome, SyncContext
from greyhub.homespace.sync.erase import displace, erase
from greyhub.homespace.sync.local_tree import Blocked, Moved
from greyhub.homespace.sync.plan import Action
from greyhub.homespace.sync.pull import SMALL, aside, compare, dress, pull, remove
from greyhub.homespace.sync.push import push
from greyhub.homespace.sync.records import Base, Remote, Seen
from greyhub.homespace.sync.source import LocalTrouble, Stable, Unstable
from greyhub.homespace.sync.stores.base import Changed


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


def prepare(context: SyncContext, task: Task) -> Stable | None:
    """The content of a small file that is to be sent; None if a lane has to see to that."""
    local = task.local
    if task.action is not Action.PUSH or local is None or local.kind != "file" or local.beside:
        return None
    if local.size > SMALL:
        return None
    try:
        return Stable(context.tree.home / task.path)
    except (OSError, Unstable, LocalTrouble):
        return None


def perform(context: SyncContext, task: Task, source: Stable | None = None) -> Outcome:
    """Do it, but for what is left to the thread that writes to the disk: see `finish`.

    Raises
    ------
    Looked
        The store was not as expected: decide anew.
    """
    try:
        return _perform(context, task, source)
    except (Changed, FileNotFoundError):
        raise Looked(task.path, context.remote(task.path)) from None
    except Blocked as blocked:
        return _unblock(context, task, blocked)


def finish(context: SyncContext, task: Task, outcome: Outcome) -> Outcome:
    """Do what was left, if anything: on this machine alone."""
    try:
        return outcome.then() if outcome.then else outcome
    except FileNotFoundError:
        raise Moved(task.path) from None
    except Blocked as blocked:
        return _unblock(context, task, blocked)


def _unblock(context: SyncContext, task: Task, blocked: Blocked) -> Outcome:
    if blocked.path == task.path:
        raise blocked
    return Outcome(done=False, moved=aside(context, blocked.path).moved)


def _perform(context: SyncContext, task: Task, source: Stable | None) -> Outcome:
    path, local, base, remote = task.path, task.local, task.base, task.remote
    match task.action:
        case Action.PUSH if local:
            return push(context, path, local, base, remote, source)
        case Action.PULL if remote:
            return pull(context, path, local, remote)
        case Action.ERASE if base:
            return erase(context, path, base, remote)
        case Action.REMOVE if local:
            return remove(context, path, local)
        case Action.DRESS if local and remote:
            return dress(context, path, local, base, remote)
        case Action.COMPARE if local and remote:
            return compare(context, path, local, base, remote)
        case Action.ASIDE:
            return aside(context, path)
        case Action.DISPLACE if remote:
            return displace(context, path, remote)
    raise AssertionError(f"{task} cannot be done")
