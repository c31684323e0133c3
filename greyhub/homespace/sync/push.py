"""From the local tree to the store."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO, cast

from greyhub.homespace.sync.desk import Desk, Outcome
from greyhub.homespace.sync.keys import key_of
from greyhub.homespace.sync.plan import unaware
from greyhub.homespace.sync.records import Base, Entry, Remote, Seen, describe
from greyhub.homespace.sync.source import Stable, open_source
from greyhub.homespace.sync.stores import ABSENT, Changed

WORTH_COPYING = 1 << 20
"""Bytes from which a renamed file is copied in the store rather than sent again."""


def push(
    desk: Desk,
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
        with source or _open(desk, path, local) as content:
            return _push_file(desk, path, content, base, remote)
    entry = remote.described if remote else None
    if remote and remote.kind == "file":  # a file was here, and became something else
        bury(desk, path, base)
        desk.manifest.publish(path)
        desk.store.delete(key_of(path), remote.tag)
    news = Entry(local.kind, over=_over(base, remote), mode=local.mode, target=local.target)
    with desk.journal.changing():
        if not (entry and (entry.mode, entry.target) == (local.mode, local.target)):
            entry = desk.journal.announce(path, news)
        desk.journal.rebase(path, Base(local, stamp=entry.stamp))
    return Outcome()


def _open(desk: Desk, path: str, local: Seen) -> Stable:
    place, intend = desk.place, desk.journal.intend
    return open_source(
        place.home / path, local, place.scratch, lambda digest: intend([(path, digest)])
    )


def _push_file(
    desk: Desk, path: str, source: Stable, base: Base | None, remote: Remote | None
) -> Outcome:
    there = remote if remote and remote.kind == "file" else None
    like = base and there and (base.tag, base.size) == (there.tag, source.size)
    if base and there and like and source.digest() == base.digest:
        tag = there.tag
        return Outcome(then=lambda: _agree(desk, path, source, tag, base, remote))
    if remote is None and base and _untouched(source, base, desk.journal.entry(path)):
        # No edit, so it does not win over the deletion: a hard link came or went.
        desk.journal.rebase(path, replace(base, seen=source.seen))
        return Outcome(done=False, looked=[None])
    new, old = (0, there.size) if there else (1, 0)
    if desk.usage.limited and there is None and (left := _left(desk, path, source.seen)):
        new, old = 0, left.size  # a rename needs no more room
    with desk.usage.growing(new, source.size - old):
        tag = _copy(desk, path, source, there) or _send(desk, path, source, there)
    return Outcome(then=lambda: _agree(desk, path, source, tag, base, remote, source.size))


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


def _send(desk: Desk, path: str, source: Stable, there: Remote | None) -> str:
    """Put the content; the store may have it already, if an answer of it was lost."""
    key, expect = key_of(path), there.tag if there else ABSENT
    try:
        return desk.store.put(key, source, expect)
    except Changed:
        ours = desk.journal.intended(path)
        found = desk.store.find(key)
        if found is None or not ours:
            raise
        digest = digest_of(desk, key, found.tag, found.size)
        if digest not in ours:
            raise
        if digest == source.result:
            return found.tag
        return desk.store.put(key, source, found.tag)


def _copy(desk: Desk, path: str, source: Stable, there: Remote | None) -> str:
    """If the file was renamed, copy its object within the store; "" if it must be sent."""
    if there or source.size < WORTH_COPYING or not source.seen.inode:
        return ""
    for old, base in desk.journal.of_inode(source.seen.inode):
        like = (base.size, base.seen.mtime) == (source.size, source.seen.mtime)
        if old != path and like and source.digest() == base.digest:
            with suppress(Changed, OSError):  # then it is sent as any other
                return desk.store.copy(key_of(old), base.tag, key_of(path))
    return ""


def _left(desk: Desk, path: str, seen: Seen) -> Base | None:
    """What the store has of a file under the name that it had before."""
    for old, base in desk.journal.of_inode(seen.inode):
        if old != path and desk.place.look(old) is None:
            return base
    return None


def _agree(
    desk: Desk,
    path: str,
    source: Stable,
    tag: str,
    base: Base | None,
    remote: Remote | None,
    sent: int = 0,
) -> Outcome:
    """The store has the content, under this tag."""
    agreed = Base(source.seen, tag, source.result, size=source.size)
    entry = describe(agreed, _twin(desk, path, source.seen), _over(base, remote))
    with desk.journal.changing():
        known = desk.journal.entry(path)
        if known is None or replace(known, stamp=entry.stamp, over=entry.over) != entry:
            known = desk.journal.announce(path, entry)
        desk.journal.rebase(path, replace(agreed, stamp=known.stamp))
        return Outcome(moved=_unlinked(desk, path, source.seen), bytes=sent)


def _unlinked(desk: Desk, path: str, seen: Seen) -> list[str]:
    """Later names of the same file that the manifest has as files of their own: they are due."""
    found = []
    for other, base in desk.journal.of_inode(seen.inode) if seen.names > 1 else ():
        entry = desk.journal.entry(other)
        if other > path and entry and entry.kind == "file" and not entry.same:
            desk.journal.doubt(other, base)
            found.append(other)
    return found


def _twin(desk: Desk, path: str, seen: Seen) -> str:
    """Another name of the same file: the first that the store has."""
    if seen.names < 2:
        return ""
    for other, base in desk.journal.of_inode(seen.inode):
        now = desk.place.look(other)
        if other < path and isinstance(now, Seen) and now.inode == base.seen.inode:
            return other
    return ""


def erase(desk: Desk, path: str, base: Base, remote: Remote | None) -> Outcome:
    """A path that is gone here goes from the store."""
    if desk.place.look(path) is not None:
        return Outcome(done=False, moved=[path])
    bury(desk, path, base)
    if base.seen.kind == "file" and remote is not None:
        # The manifest hears of an end before the store does: whoever has a newer
        # version then sees that this was not meant for it.
        desk.manifest.publish(path)
        with desk.usage.growing(-1, -base.size):
            desk.store.delete(key_of(path), remote.tag)
    desk.journal.rebase(path, None)
    return Outcome()


def bury(desk: Desk, path: str, base: Base | None) -> None:
    """Tell the manifest that a path ends, and which version of it."""
    order = base.stamp.order if base else 0
    entry = desk.journal.entry(path)
    if entry is None or entry.kind != "gone" or entry.over < order:
        now = int(desk.place.clock() * 1e9)
        desk.journal.announce(path, Entry("gone", over=order, mtime=now))


def displace(desk: Desk, path: str, remote: Remote) -> Outcome:
    """A folder is here and a file in the store: the file takes a clear name there."""
    new = desk.place.conflict_name(path, desk.taken)
    entry = remote.described
    if remote.kind == "file":
        tag = desk.store.copy(key_of(path), remote.tag, key_of(new))
        if entry:
            desk.journal.announce(new, replace(entry, tag=tag, over=0, same=""))
        desk.store.delete(key_of(path), remote.tag)
    elif entry:
        desk.journal.announce(new, replace(entry, over=0))
    bury(desk, path, Base(Seen("file"), stamp=entry.stamp) if entry else None)
    return Outcome(done=False, moved=[new], looked=[desk.remote(path)])


def digest_of(desk: Desk, key: str, tag: str, size: int) -> str:
    """The digest of an object, by reading it."""
    reader = _Digest()
    desk.store.fetch(key, tag, cast(BinaryIO, reader), size)
    return reader.digest.hexdigest()


class _Digest:
    """A file that keeps nothing of what is written to it but the digest."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return len(data)


def _over(base: Base | None, remote: Remote | None) -> int:
    seen = remote.described if remote else None
    return max(base.stamp.order if base else 0, seen.stamp.order if seen else 0)
