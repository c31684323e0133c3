"""Erase: what is gone from the local tree goes from the store, and the manifest says so."""

from __future__ import annotations

from dataclasses import replace

from greyhub.homespace.sync.context import Outcome, SyncContext
from greyhub.homespace.sync.keys import key_of
from greyhub.homespace.sync.records import Base, Entry, Remote, Seen


def erase(context: SyncContext, path: str, base: Base, remote: Remote | None) -> Outcome:
    """A path that is gone here goes from the store."""
    if context.tree.look(path) is not None:
        return Outcome(done=False, moved=[path])
    bury(context, path, base)
    if base.seen.kind == "file" and remote is not None:
        # The manifest hears of an end before the store does: whoever has a newer
        # version then sees that this was not meant for it.
        context.manifest.publish(path)
        with context.usage.growing(-1, -base.size):
            context.store.delete(key_of(path), remote.tag)
    context.journal.rebase(path, None)
    return Outcome()


def bury(context: SyncContext, path: str, base: Base | None) -> None:
    """Tell the manifest that a path ends, and which version of it."""
    order = base.stamp.order if base else 0
    entry = context.journal.entry(path)
    if entry is None or entry.kind != "gone" or entry.over < order:
        now = int(context.tree.clock() * 1e9)
        context.journal.announce(path, Entry("gone", over=order, mtime=now))


def displace(context: SyncContext, path: str, remote: Remote) -> Outcome:
    """A folder is here and a file in the store: the file takes a clear name there."""
    new = context.tree.conflict_name(path, context.taken)
    entry = remote.described
    if remote.kind == "file":
        tag = context.store.copy(key_of(path), remote.tag, key_of(new))
        if entry:
            context.journal.announce(new, replace(entry, tag=tag, over=0, same=""))
        context.store.delete(key_of(path), remote.tag)
    elif entry:
        context.journal.announce(new, replace(entry, over=0))
    bury(context, path, Base(Seen("file"), stamp=entry.stamp) if entry else None)
    return Outcome(done=False, moved=[new], looked=[context.remote(path)])
