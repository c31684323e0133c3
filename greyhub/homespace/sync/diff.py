"""Compare the local tree or the store with the journal, and find what changed.

Both looks go through their side in one order, beside the journal, and keep
nothing in memory but what differs; only a store's listing comes as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from greyhub.homespace.sync.context import SyncContext, view
from greyhub.homespace.sync.ignore import Rules
from greyhub.homespace.sync.interruptible import Asked, Until, answer
from greyhub.homespace.sync.keys import IDENTITY, ODD, key_of, path_of, plain, safe
from greyhub.homespace.sync.plan import UNKNOWN, Change, remote_change
from greyhub.homespace.sync.records import NEVER, Base, Remote, Seen, describe
from greyhub.homespace.sync.scan import together, walk
from greyhub.homespace.sync.stores.base import Found


def here(context: SyncContext, rules: Rules, top: str, shut: set[str]) -> Iterator[str]:
    """The paths of the local tree that are not as the journal has them.

    Folders that cannot be read are added to ``shut``.
    """
    closed = ""
    found = walk(context.tree.home, rules, top)
    for path, seen, base in together(found, context.journal.bases(top)):
        if seen is UNKNOWN and path.endswith("/"):
            closed = path  # a folder that cannot be read: nothing in it is gone
            shut.add(path)
            if path == "/":
                return
            continue
        if closed and path.startswith(closed):
            continue
        if seen is None and rules.skips(path, folder=_is_folder(base)):
            continue
        if not (isinstance(seen, Seen) and base and seen.identity == base.seen.identity):
            yield path


def there(
    context: SyncContext, rules: Rules, until: Until | None = None
) -> Iterator[tuple[str, Remote | None]]:
    """The paths of the store that are not as the journal has them.

    Parameters
    ----------
    until : Until | None
        True to give up what the store is asked.

    Raises
    ------
    greyhub.homespace.sync.interruptible.GivenUp
        It was given up.
    OSError
        The store could not be listed, or the listing is not of this home.
    """
    listing = answer(partial(_seen, context, until), until, f"what {context.store.name} holds")
    if IDENTITY not in listing:
        raise OSError(f"{context.store.name} does not show the home that it holds")
    odd = _odd(context, listing)
    known = together(context.journal.bases(), context.journal.entries())
    for path, base, entry in known:
        found = listing.pop(key_of(path), None)
        remote = view(found, entry)
        change = remote_change(remote, base)
        if change in (Change.NONE, Change.SAME):
            _follow(context, path, base, remote)
        elif not rules.skips(path, folder=_is_folder(base) or _is_folder(remote)):
            yield path, remote
    for key, found in listing.items():
        path = odd.get(key) or path_of(key) or ""
        if safe(path) and key_of(path) == key and not rules.skips(path):
            yield path, view(found, None)


def _seen(context: SyncContext, until: Until | None) -> dict[str, Found]:
    """What the store holds; and by then the journal has what the manifest says."""

    def ask() -> dict[str, Found]:
        return {found.key: found for found in context.store.list()}

    listed = ask

    def got() -> None:
        nonlocal listed
        if until:
            listed = Asked(ask).result

    # An object is there before the manifest tells of it: asked in the other order, what has
    # just come would seem to be deleted. What was got of the manifest is read beside the listing.
    context.manifest.refresh(got)
    return listed()


def _follow(context: SyncContext, path: str, base: Base | None, remote: Remote | None) -> None:
    """The same version, but what the manifest says of it is not what the base has."""
    if base is None or remote is None:
        return
    entry = remote.described
    if entry and entry.stamp > base.stamp:
        context.journal.restamp(path, entry.stamp)
    elif entry is None and base.stamp != NEVER and remote.kind == "file":
        context.journal.restamp(path, context.journal.announce(path, describe(base)).stamp)


def _odd(context: SyncContext, listing: Iterable[str]) -> dict[str, str]:
    """The paths of objects that could not have their own names."""
    if not any(key.startswith(ODD) for key in listing):
        return {}
    return {key_of(path): path for path, _ in context.journal.entries() if not plain(path)}


def _is_folder(it: Base | Remote | None) -> bool:
    if isinstance(it, Base):
        return it.seen.kind == "folder"
    return it is not None and it.kind == "folder"
