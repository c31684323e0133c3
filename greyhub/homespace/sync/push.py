"""Push: from the local tree to the store."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from greyhub.homespace.sync.context import Outcome, SyncContext
from greyhub.homespace.sync.erase import bury
from greyhub.homespace.sync.fetched import digest_of
from greyhub.homespace.sync.keys import key_of
from greyhub.homespace.sync.plan import unaware
from greyhub.homespace.sync.records import Base, Entry, Remote, Seen, describe
from greyhub.homespace.sync.source import Stable, open_source
from greyhub.homespace.sync.stores.base import ABSENT, Changed

WORTH_COPYING = 1 << 20
"""Bytes from which a renamed file is copied in the store rather than sent again."""


def push(
    context: SyncContext,
    path: str,
    local: Seen,
    base: Base | None,
    remote: Remote | None,
    source: Stable | None = None,
) -> Outcome:
    """The local version of a path goes to the store, where ``remote`` is expected.

    Of a file, ``source`` is the content, if it was read.
    """
    if local.kind == "file":
        with source or _open(context, path, local) as content:
            return _push_file(context, path, content, base, remote)
    entry = remote.described if remote else None
    if remote and remote.kind == "file":  # a file was here, and became something else
        bury(context, path, base)
        context.manifest.publish(path)
        context.store.delete(key_of(path), remote.tag)
    news = Entry(local.kind, over=_over(base, remote), mode=local.mode, target=local.target)
    with context.journal.changing():
        if not (entry and (entry.mode, entry.target) == (local.mode, local.target)):
            entry = context.journal.announce(path, news)
        context.journal.rebase(path, Base(local, stamp=entry.stamp))
    return Outcome()


def _open(context: SyncContext, path: str, local: Seen) -> Stable:
    tree, intend = context.tree, context.journal.intend
    return open_source(
        tree.home / path, local, tree.scratch, lambda digest: intend([(path, digest)])
    )


def _push_file(
    context: SyncContext, path: str, source: Stable, base: Base | None, remote: Remote | None
) -> Outcome:
    there = remote if remote and remote.kind == "file" else None
    like = base and there and (base.tag, base.size) == (there.tag, source.size)
    if base and there and like and source.digest() == base.digest:
        tag = there.tag
        return Outcome(then=lambda: _agree(context, path, source, tag, base, remote))
    if remote is None and base and _untouched(source, base, context.journal.entry(path)):
        # No edit, so it does not win over the deletion: a hard link came or went.
        context.journal.rebase(path, replace(base, seen=source.seen))
        return Outcome(done=False, looked=[None])
    new, old = (0, there.size) if there else (1, 0)
    if context.usage.limited and there is None and (left := _left(context, path, source.seen)):
        new, old = 0, left.size  # a rename needs no more room
    with context.usage.growing(new, source.size - old):
        tag = _copy(context, path, source, there) or _send(context, path, source, there)
    return Outcome(then=lambda: _agree(context, path, source, tag, base, remote, source.size))


def _untouched(source: Stable, base: Base, tomb: Entry | None) -> bool:
    """Whether a file that has gone from the store is here as it was there."""
    seen, before = source.seen, base.seen
    alike = (seen.mode, seen.mtime) == (before.mode, before.mtime) and base.size == source.size
    return (
        before.kind == "file"
        and alike
        and seen.ctime >= 0
        and not unaware(tomb, base)
        and source.digest() == base.digest
    )


def _send(context: SyncContext, path: str, source: Stable, there: Remote | None) -> str:
    """Put the content; the store may have it already, if an answer of it was lost."""
    key, expect = key_of(path), there.tag if there else ABSENT
    try:
        return context.store.put(key, source, expect)
    except Changed:
        ours = context.journal.intended(path)
        found = context.store.find(key)
        if found is None or not ours:
            raise
        digest = digest_of(context, key, found.tag, found.size)
        if digest not in ours:
            raise
        if digest == source.result:
            return found.tag
        return context.store.put(key, source, found.tag)


def _copy(context: SyncContext, path: str, source: Stable, there: Remote | None) -> str:
    """If the file was renamed, copy its object within the store; "" if it must be sent."""
    if there or source.size < WORTH_COPYING or not source.seen.inode:
        return ""
    for old, base in context.journal.of_inode(source.seen.inode):
        like = (base.size, base.seen.mtime) == (source.size, source.seen.mtime)
        if old != path and like and source.digest() == base.digest:
            with suppress(Changed, OSError):  # then it is sent as any other
                return context.store.copy(key_of(old), base.tag, key_of(path))
    return ""


def _left(context: SyncContext, path: str, seen: Seen) -> Base | None:
    """What the store has of a file under the name that it had before."""
    for old, base in context.journal.of_inode(seen.inode):
        if old != path and context.tree.look(old) is None:
            return base
    return None


def _agree(
    context: SyncContext,
    path: str,
    source: Stable,
    tag: str,
    base: Base | None,
    remote: Remote | None,
    sent: int = 0,
) -> Outcome:
    """The store has the content, under this tag."""
    agreed = Base(source.seen, tag, source.result, size=source.size)
    entry = describe(agreed, _twin(context, path, source.seen), _over(base, remote))
    with context.journal.changing():
        known = context.journal.entry(path)
        if known is None or replace(known, stamp=entry.stamp, over=entry.over) != entry:
            known = context.journal.announce(path, entry)
        context.journal.rebase(path, replace(agreed, stamp=known.stamp))
        return Outcome(moved=_unlinked(context, path, source.seen), bytes=sent)


def _unlinked(context: SyncContext, path: str, seen: Seen) -> list[str]:
    """Later names of the same file that the manifest has as files of their own: they are due."""
    found = []
    for other, base in context.journal.of_inode(seen.inode) if seen.names > 1 else ():
        entry = context.journal.entry(other)
        if other > path and entry and entry.kind == "file" and not entry.same:
            context.journal.doubt(other, base)
            found.append(other)
    return found


def _twin(context: SyncContext, path: str, seen: Seen) -> str:
    """Another name of the same file: the first that the store has."""
    if seen.names < 2:
        return ""
    for other, base in context.journal.of_inode(seen.inode):
        now = context.tree.look(other)
        if other < path and isinstance(now, Seen) and now.inode == base.seen.inode:
            return other
    return ""


def _over(base: Base | None, remote: Remote | None) -> int:
    seen = remote.described if remote else None
    return max(base.stamp.order if base else 0, seen.stamp.order if seen else 0)
