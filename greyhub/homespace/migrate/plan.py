"""Decide what to do with each path of a home that is copied, so that nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from os import fsencode
from os.path import splitext

from greyhub.homespace.migrate.endpoint import Item
from greyhub.homespace.sync.records import Base


class Action(Enum):
    """What is to be done with a path."""

    COPY = "it is not there yet"
    REPLACE = "an earlier copy of it is there, and the source has changed since"
    COMPARE = "something is there: the contents decide"
    SAME = "it is there"
    BESIDE = "something else is there: it takes a name beside it"
    REFUSE = "it cannot be put there"


@dataclass(frozen=True)
class Step:
    """One path to be copied."""

    action: Action
    item: Item
    there: Item | None = None
    """What is at its destination."""


def decide(item: Item, there: Item | None, base: Base | None) -> Step:
    """What to do with one path.

    Parameters
    ----------
    item : Item
        The path in the source.
    there : Item, optional
        The same path in the destination.
    base : Base, optional
        The path as it was copied before, if it was.
    """
    if there is None:
        return Step(Action.COPY, item)
    if item.kind == "folder":
        action = Action.SAME if there.kind == "folder" else Action.REFUSE
    elif item.kind != there.kind:
        action = Action.BESIDE
    elif item.kind == "link":
        action = Action.SAME if item.target == there.target else Action.BESIDE
    elif base is not None and base.tag == there.mark:
        action = Action.SAME if base.seen == item.seen else Action.REPLACE
    else:
        action = Action.COMPARE
    return Step(action, item, there)


def plan(
    items: Mapping[str, Item], there: Mapping[str, Item], bases: Mapping[str, Base]
) -> Iterator[Step]:
    """A step for every path of the source."""
    closed = ""
    for path in sorted(items, key=lambda each: fsencode(each).replace(b"/", b"\0")):
        if closed and path.startswith(closed):
            yield Step(Action.REFUSE, items[path])
            continue
        step = decide(items[path], there.get(path), bases.get(path))
        if step.action is Action.REFUSE:
            closed = f"{path}/"
        yield step


def beside(item: Item, digest: str) -> Item:
    """The same under a name that says what it is; for the same content always the same name."""
    folder, slash, name = item.path.rpartition("/")
    stem, suffix = splitext(name)
    day = time.strftime("%Y-%m-%d", time.gmtime(item.mtime / 1e9))
    mark = f" (copied {day} {(digest or sha256(fsencode(item.target)).hexdigest())[:8]})"
    room = 255 - len(fsencode(mark + suffix))
    if room < 1:
        stem, suffix, room = name, "", 255 - len(fsencode(mark))
    while len(fsencode(stem)) > room:
        stem = stem[:-1]
    return replace(item, path=f"{folder}{slash}{stem}{mark}{suffix}", same="", stamp=None)
