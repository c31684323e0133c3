"""Looking at a whole side for what changed since both sides agreed.

Both looks go through their side in one order, beside the journal, and keep
nothing in memory but what differs; only a store's listing comes as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from greyhub.homespace.sync.desk import Desk, view
from greyhub.homespace.sync.ignore import Rules
from greyhub.homespace.sync.keys import IDENTITY, ODD, key_of, path_of, plain, safe
from greyhub.homespace.sync.plan import UNKNOWN, Change, remote_change
from greyhub.homespace.sync.records import NEVER, Base, Remote, Seen, describe
from greyhub.homespace.sync.scan import together, walk

HOUR: Final = 3_600_000_000_000
FIRST: Final = -1000.0
"""The rank of what a user sees when the server opens."""


def here(desk: Desk, rules: Rules, top: str = "") -> Iterator[str]:
    """The paths of the local tree that are not as the journal has them."""
    closed = ""
    found = walk(desk.place.home, rules, top)
    for path, seen, base in together(found, desk.journal.bases(top)):
        if seen is UNKNOWN and path.endswith("/"):
            closed = path  # a folder that cannot be read: nothing in it is gone
            if path == "/":
                return
            continue
        if closed and path.startswith(closed):
            continue
        if seen is None and rules.skips(path, folder=_is_folder(base)):
            continue
        if not (isinstance(seen, Seen) and base and seen.identity == base.seen.identity):
            yield path


def there(desk: Desk, rules: Rules) -> Iterator[tuple[str, Remote | None]]:
    """The paths of the store that are not as the journal has them.

    Raises
    ------
    OSError
        The store could not be listed, or the listing is not of this home.
    """
    desk.manifest.refresh()
    listing = {found.key: found for found in desk.store.list()}
    if IDENTITY not in listing:
        raise OSError(f"{desk.store.name} does not show the home that it holds")
    odd = _odd(desk, listing)
    known = together(desk.journal.bases(), desk.journal.entries())
    for path, base, entry in known:
        found = listing.pop(key_of(path), None)
        remote = view(found, entry)
        change = remote_change(remote, base)
        if change in (Change.NONE, Change.SAME):
            _follow(desk, path, base, remote)
        elif not rules.skips(path, folder=_is_folder(base) or _is_folder(remote)):
            yield path, remote
    for key, found in listing.items():
        path = odd.get(key) or path_of(key) or ""
        if safe(path) and key_of(path) == key and not rules.skips(path):
            yield path, view(found, None)


def _follow(desk: Desk, path: str, base: Base | None, remote: Remote | None) -> None:
    """The same version, but what the manifest says of it is not what the base has."""
    if base is None or remote is None:
        return
    entry = remote.described
    if entry and entry.stamp > base.stamp:
        desk.journal.restamp(path, entry.stamp)
    elif entry is None and base.stamp != NEVER and remote.kind == "file":
        desk.journal.restamp(path, desk.journal.announce(path, describe(base)).stamp)


def _odd(desk: Desk, listing: Iterable[str]) -> dict[str, str]:
    """The paths of objects that could not have their own names."""
    if not any(key.startswith(ODD) for key in listing):
        return {}
    return {key_of(path): path for path, _ in desk.journal.entries() if not plain(path)}


def rank(path: str, remote: Remote | None, now: float) -> float:
    """In which order to bring things down: what is seen first, the newest, the smallest."""
    if remote is None:  # it is to go: what is in a folder before the folder
        return -float(path.count("/"))
    if remote.kind != "file":
        return FIRST - 1000 + path.count("/")
    mtime = remote.described.mtime if remote.described else remote.mtime
    age = max(0.0, now - mtime / HOUR)
    score = math.log2(remote.size / 4096 + 1) + math.log2(age + 1)
    return FIRST + score if is_first(path, remote) else score


def is_first(path: str, remote: Remote | None) -> bool:
    """Whether a path is part of what a user sees when the server opens.

    All folders and links, and the files of the first two levels that are not large.
    """
    if remote is None or remote.kind != "file":
        return True
    return path.count("/") < 2 and remote.size <= 1 << 20


def _is_folder(it: Base | Remote | None) -> bool:
    if isinstance(it, Base):
        return it.seen.kind == "folder"
    return it is not None and it.kind == "folder"
