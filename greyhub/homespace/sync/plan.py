"""Decide what to do with one path, from its local, stored and last agreed state.

The local tree and the store are each compared with the base, the state on which
they last agreed. `decide` is the whole policy of a working copy:

- what changed on one side only goes to the other;
- what changed on both sides is kept twice, unless both made the same change;
- an edit wins over a deletion;
- what could not be seen is left alone: unknown is never gone.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from greyhub.homespace.sync.records import Base, Entry, Remote, Seen


class Unknown(Enum):
    """A side that could not be looked at, or has not been."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

UNREADABLE: Final = "it cannot be read"
"""Why nothing is done with such a path, for people."""


class Change(Enum):
    """What became of a path on one side since the base."""

    NONE = "it was not there and is not"
    SAME = "as it was"
    DRESS = "its content as it was, its mode or times new"
    NEW = "it was not there"
    EDIT = "changed"
    GONE = "it was there"
    UNKNOWN = "not known"


class Action(Enum):
    """What is to be done with a path."""

    NOTHING = "nothing"
    PUSH = "the local version goes to the store"
    PULL = "the store's version comes to the local tree"
    ERASE = "it goes from the store"
    REMOVE = "it goes from the local tree"
    DRESS = "the local path gets the store's mode and times"
    COMPARE = "the contents decide: one change made twice, or two versions"
    ASIDE = "the local version takes a clear name, the store's keeps its own"
    DISPLACE = "the store's version takes a clear name, for a folder is here"
    FORGET = "gone on both sides: the base forgets it"
    WAIT = "one side is not known"


def decide(
    local: Seen | Unknown | None,
    base: Base | None,
    remote: Remote | Unknown | None,
    tomb: Entry | None = None,
) -> Action:
    """What to do with a path.

    Parameters
    ----------
    local : Seen | Unknown | None
        The path in the local tree; None if it is not there.
    base : Base | None
        The path when both sides last agreed.
    remote : Remote | Unknown | None
        The path in the store; None only if the store was asked and answered that
        it is not there.
    tomb : Entry | None
        If it is not in the store, what the manifest says of its end.
    """
    here, there = local_change(local, base), remote_change(remote, base)
    action = TABLE[here, there]
    if there is Change.GONE and action is Action.REMOVE and unaware(tomb, base):
        return Action.PUSH  # whoever erased it had not seen our last version
    if isinstance(local, Seen) and isinstance(remote, Remote):
        if action is Action.PULL and unaware(remote.described, base):
            return Action.ASIDE  # both wrote at once, and our version lost the race
        if action is Action.COMPARE:
            return collide(local, remote)
    return action


def local_change(local: Seen | Unknown | None, base: Base | None) -> Change:
    """What became of the local path since the base."""
    if local is UNKNOWN:
        return Change.UNKNOWN
    if local is None:
        return Change.NONE if base is None else Change.GONE
    if base is None:
        return Change.NEW
    if local.identity == base.seen.identity:
        return Change.SAME
    return Change.EDIT


def remote_change(remote: Remote | Unknown | None, base: Base | None) -> Change:
    """What became of the path in the store since the base."""
    if remote is UNKNOWN:
        return Change.UNKNOWN
    if remote is None:
        return Change.NONE if base is None else Change.GONE
    if base is None:
        return Change.NEW
    if remote.kind != base.seen.kind:
        return Change.EDIT
    entry = remote.described
    news = entry is not None and entry.stamp > base.stamp
    if remote.kind == "file":
        if remote.tag != base.tag:
            return Change.EDIT
        dressed = news and entry and (entry.mode, entry.mtime) != (base.seen.mode, base.seen.mtime)
        return Change.DRESS if dressed else Change.SAME
    if remote.kind == "link":
        return Change.EDIT if news and entry and entry.target != base.seen.target else Change.SAME
    return Change.DRESS if news and entry and entry.mode != base.seen.mode else Change.SAME


def unaware(entry: Entry | None, base: Base | None) -> bool:
    """Whether the writer of ``entry`` had not seen the version that the base holds."""
    if entry is None or base is None:
        return False
    return entry.stamp != base.stamp and entry.over < base.stamp.order


def collide(local: Seen, remote: Remote) -> Action:
    """Both sides changed: can they be one, or who takes another name?"""
    if local.kind == remote.kind:
        if local.kind == "file":
            return Action.COMPARE
        if local.kind == "folder":
            return Action.PUSH if remote.described is None else Action.DRESS
        entry = remote.described
        return Action.PUSH if entry and entry.target == local.target else Action.ASIDE
    return Action.DISPLACE if local.kind == "folder" else Action.ASIDE


def _table() -> dict[tuple[Change, Change], Action]:
    c, a = Change, Action
    table = {
        (c.NONE, c.NONE): a.NOTHING,
        (c.NONE, c.NEW): a.PULL,
        (c.NEW, c.NONE): a.PUSH,
        (c.NEW, c.NEW): a.COMPARE,
        (c.SAME, c.SAME): a.NOTHING,
        (c.SAME, c.DRESS): a.DRESS,
        (c.SAME, c.EDIT): a.PULL,
        (c.SAME, c.GONE): a.REMOVE,
        (c.EDIT, c.SAME): a.PUSH,
        (c.EDIT, c.DRESS): a.PUSH,
        (c.EDIT, c.EDIT): a.COMPARE,
        (c.EDIT, c.GONE): a.PUSH,
        (c.GONE, c.SAME): a.ERASE,
        (c.GONE, c.DRESS): a.ERASE,
        (c.GONE, c.EDIT): a.PULL,
        (c.GONE, c.GONE): a.FORGET,
    }
    for known in Change:
        table[known, c.UNKNOWN] = table[c.UNKNOWN, known] = a.WAIT
    return table


TABLE: Final = _table()
