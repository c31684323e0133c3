"""In which order to bring down what changed in the store, and what a server's start waits for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import itemgetter
from typing import Final

from greyhub.homespace.sync.records import Remote

HOUR: Final = 3_600_000_000_000
FIRST: Final = -1000.0
"""The rank around which that stands which a user sees when the server opens."""

NEXT: Final = -400.0
"""The rank of that part of it which a start does not wait for."""

AWAITED_FILES: Final = 300
AWAITED_BYTES: Final = 32 << 20
"""How much a start waits for, of files: a matter of seconds."""

LARGE: Final = 1 << 20
"""Bytes from which a file is not among them."""

SETTINGS: Final = (".jupyter/", ".ipython/", ".config/", ".ssh/", ".local/share/jupyter/")
"""Folders of what programs read once, as they start: if it is not there, they make it anew."""


def ranked(
    found: Iterable[tuple[str, Remote | None]], now: float
) -> list[tuple[float, str, Remote | None]]:
    """What changed in the store in the order in which to bring it down, with its ranks.

    Of the files that a user sees first, the start of a server waits for some only:
    `awaited` is false for the others, which come right after them.

    Parameters
    ----------
    now : float
        Hours since the epoch.
    """
    every = sorted(((rank(path, it, now), path, it) for path, it in found), key=itemgetter(0))
    files = size = 0
    for place, (order, path, remote) in enumerate(every):
        if not awaited(order):
            break
        if remote is not None and remote.kind == "file":
            files, size = files + 1, size + remote.size
            if files > AWAITED_FILES or size > AWAITED_BYTES:
                every[place] = order - FIRST + NEXT, path, remote
    return every


def rank(path: str, remote: Remote | None, now: float) -> float:
    """In which order to bring things down: what is seen first, the newest, the smallest.

    First all folders and links; then what programs read as they start, and do not
    look for again; then the top of the home, and the level below it.
    """
    if remote is None:  # it is to go: what is in a folder before the folder
        return -float(path.count("/"))
    if remote.kind != "file":
        return FIRST - 1000 + path.count("/")
    mtime = remote.described.mtime if remote.described else remote.mtime
    age = max(0.0, now - mtime / HOUR)
    score = math.log2(remote.size / 4096 + 1) + math.log2(age + 1)
    if path.startswith(SETTINGS):
        return FIRST - 200 + score
    if path.count("/") < 2 and remote.size <= LARGE:
        return FIRST - 100 + 50 * path.count("/") + score
    return score


def awaited(order: float) -> bool:
    """Whether the start of a server waits for what has this rank."""
    return order < (FIRST + NEXT) / 2
