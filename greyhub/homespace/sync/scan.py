"""Scan the local tree: one path, or all of it in order.

Nothing is followed and nothing is opened, but for the first bytes of what may be
a database. What cannot be read is `UNKNOWN`, never absent.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

from greyhub.homespace.sync import user_databases
from greyhub.homespace.sync.ignore import Rules
from greyhub.homespace.sync.plan import UNKNOWN, Unknown
from greyhub.homespace.sync.records import Seen

ABSENT: Final = (FileNotFoundError, NotADirectoryError)

L = TypeVar("L")
R = TypeVar("R")
Found = tuple[str, "Seen | Unknown"]


def look(home: Path, path: str, firm: set[str] | None = None) -> Seen | Unknown | None:
    """One path of the tree; None if it is not there or is not of a kind that is kept.

    Folders in ``firm`` were just seen not to be links; those that are seen now are added.
    """
    full = os.path.join(home, path)
    firm = set() if firm is None else firm
    above, folders = os.path.dirname(path), []
    while above and above not in firm:
        if os.path.islink(os.path.join(home, above)):
            return None  # what lies behind a link to a folder is not of this home
        folders.append(above)
        above = os.path.dirname(above)
    firm.update(folders)  # now that none of those above them is a link
    if user_databases.is_beside(full):
        return None  # it is part of its database, and not a file of its own
    return _look(full)


def _look(full: str, *, alone: bool = False) -> Seen | Unknown | None:
    try:
        status = os.lstat(full)
        if stat.S_ISDIR(status.st_mode):
            return Seen("folder", mode=stat.S_IMODE(status.st_mode))
        if stat.S_ISLNK(status.st_mode):
            return Seen("link", target=os.readlink(full))
        if not stat.S_ISREG(status.st_mode):
            return None
        return seen_file(full, status, alone=alone)
    except ABSENT:
        return None
    except OSError:
        return UNKNOWN


def seen_file(full: str, status: os.stat_result, *, alone: bool = False) -> Seen:
    """A regular file, from its status and what a database has beside it, if anything may be."""
    return Seen(
        "file",
        mode=stat.S_IMODE(status.st_mode),
        size=status.st_size,
        mtime=status.st_mtime_ns,
        ctime=status.st_ctime_ns,
        inode=status.st_ino,
        names=status.st_nlink,
        beside="" if alone else user_databases.beside(full),
    )


def walk(home: Path, rules: Rules, top: str = "") -> Iterator[Found]:
    """All that is kept below ``top``, in the order of `order`.

    A folder that holds nothing but what is ignored is not shown: only one that is
    empty, or that has something in it that is kept. After a folder that cannot be
    read comes its path with a slash, `UNKNOWN`: nothing can be said of what is in it.
    """
    empty: list[Found] = []  # folders above, so far without anything that is kept
    stack = [_children(home, rules, top)]
    bare = [False]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            if bare.pop() and empty:
                yield from empty
                empty.clear()
            elif empty:
                empty.pop()
            continue
        path, seen = entry
        if isinstance(seen, Seen) and seen.kind == "folder":
            empty.append(entry)
            inside = _children(home, rules, path)
            first = next(inside, None)
            bare.append(first is None and _is_bare(home, path))
            stack.append(inside if first is None else chain((first,), inside))
            continue
        yield from empty
        empty.clear()
        yield entry


def _children(home: Path, rules: Rules, top: str) -> Iterator[Found]:
    try:
        with os.scandir(os.path.join(home, top)) as entries:
            children = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except ABSENT:
        return
    except OSError:
        yield f"{top}/", UNKNOWN
        return
    names = {entry.name for entry in children}
    for entry in children:
        path = f"{top}/{entry.name}" if top else entry.name
        if rules.skip(path, folder=entry.is_dir(follow_symlinks=False)):
            continue
        if _may_be_beside(entry.name, names) and user_databases.is_beside(entry.path):
            continue
        alone = not any(f"{entry.name}{each}" in names for each in user_databases.BESIDE)
        seen = _look(entry.path, alone=alone)
        if seen is not None:
            yield path, seen


def _is_bare(home: Path, path: str) -> bool:
    try:
        with os.scandir(os.path.join(home, path)) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _may_be_beside(name: str, names: set[str]) -> bool:
    return any(
        name.endswith(each) and name[: -len(each)] in names for each in user_databases.BESIDE
    )


def order(path: str) -> bytes:
    """The key by which `walk` is sorted: a folder comes right before all that is in it."""
    return os.fsencode(path).replace(b"/", b"\0")


def together(
    left: Iterable[tuple[str, L]], right: Iterable[tuple[str, R]]
) -> Iterator[tuple[str, L | None, R | None]]:
    """Two sequences in the order of `order`, as one: each path once, with what each has."""
    ones, others = iter(left), iter(right)
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        here = order(one[0]) if one else None
        there = order(other[0]) if other else None
        if other is None or (here is not None and there is not None and here < there):
            assert one is not None
            yield one[0], one[1], None
            one = next(ones, None)
        elif one is None or (here is not None and there is not None and there < here):
            yield other[0], None, other[1]
            other = next(others, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(ones, None), next(others, None)
