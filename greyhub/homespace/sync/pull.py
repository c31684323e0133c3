"""Pull: from the store to the local tree."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from greyhub.homespace.sync.context import Damaged, Outcome, SyncContext
from greyhub.homespace.sync.fetched import InMemory, OnDisk, digest_of
from greyhub.homespace.sync.keys import key_of
from greyhub.homespace.sync.local_tree import Moved
from greyhub.homespace.sync.plan import unaware
from greyhub.homespace.sync.records import NEVER, Base, Entry, Remote, Seen, describe
from greyhub.homespace.sync.source import open_source

MODE: Final = 0o644
"""Of a file that another tool put into the store."""

FOLDER: Final = 0o755


SMALL: Final = 256 << 10
"""Bytes up to which a file waits in memory until it is put on the disk."""


def pull(context: SyncContext, path: str, local: Seen | None, remote: Remote) -> Outcome:
    """The store's version of a path comes into its place, where ``local`` is now."""
    entry = remote.described
    if remote.kind == "folder":
        return _folder(context, path, local, entry)
    if remote.kind == "link":
        return _link(context, path, local, entry)
    if entry and (twin := _twin(context, entry)):
        return _same(context, path, local, remote, twin)
    if remote.size > SMALL:
        return _file(context, path, local, remote)
    held = InMemory()
    _fetch(context, path, remote, held)
    # The disk's calls are short and many: threads that take turns at them pay more
    # for the turns than for the calls.
    return Outcome(then=lambda: _file(context, path, local, remote, held))


def _folder(context: SyncContext, path: str, local: Seen | None, entry: Entry | None) -> Outcome:
    mode, stamp = (entry.mode, entry.stamp) if entry else (FOLDER, NEVER)
    context.tree.folder(path, mode, local)
    return Outcome(agreed=Base(Seen("folder", mode=mode), stamp=stamp))


def _link(context: SyncContext, path: str, local: Seen | None, entry: Entry | None) -> Outcome:
    target, stamp = (entry.target, entry.stamp) if entry else ("", NEVER)
    made = context.tree.temporary()
    os.symlink(target, made)
    with _gone_if_it_fails(made):
        context.tree.put(made, path, local)
    return Outcome(agreed=Base(Seen("link", target=target), stamp=stamp))


def _file(
    context: SyncContext,
    path: str,
    local: Seen | None,
    remote: Remote,
    held: InMemory | None = None,
) -> Outcome:
    """A file from what was fetched, or fetched as it is written."""
    handle, made = context.tree.create()
    with _closing(handle), _gone_if_it_fails(made):
        writer = OnDisk(handle)
        if held is None:
            digest = _fetch(context, path, remote, writer)
        else:
            digest = held.digest.hexdigest()
            writer.ahead(held.data, 0)
        _dress(handle, remote)
        return _placed(context, path, local, remote, made, handle, digest)


def _same(
    context: SyncContext, path: str, local: Seen | None, remote: Remote, twin: Path
) -> Outcome:
    """One more name of a file that is here."""
    made = context.tree.temporary()
    os.link(twin, made)
    with _gone_if_it_fails(made), open(made, "rb") as file:
        digest = remote.entry.digest if remote.entry else ""
        return _placed(context, path, local, remote, made, file.fileno(), digest)


def _placed(
    context: SyncContext,
    path: str,
    local: Seen | None,
    remote: Remote,
    made: str | Path,
    handle: int,
    digest: str,
) -> Outcome:
    """Put a file in its place; what its user did to it since is a change."""
    before = os.fstat(handle)
    context.tree.put(made, path, local)
    after = os.fstat(handle)
    still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    seen = Seen(
        "file",
        mode=stat.S_IMODE(before.st_mode),
        size=before.st_size,
        mtime=before.st_mtime_ns,
        ctime=after.st_ctime_ns if still else -1,
        inode=before.st_ino,
        names=after.st_nlink,
    )
    entry = remote.described
    agreed = Base(seen, remote.tag, digest, entry.stamp if entry else NEVER, remote.size)
    if entry is None:  # another tool wrote it: from now on the manifest knows its digest
        stamp = context.journal.announce(path, describe(agreed), late=True).stamp
        agreed = replace(agreed, stamp=stamp)
    return Outcome(agreed=agreed, bytes=remote.size)


@contextmanager
def _closing(handle: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def _gone_if_it_fails(made: str | Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(made)
        raise


def _fetch(context: SyncContext, path: str, remote: Remote, into: OnDisk | InMemory) -> str:
    context.store.fetch(key_of(path), remote.tag, cast(BinaryIO, into), remote.size)
    digest = into.digest.hexdigest()
    entry = remote.described
    if entry and entry.digest and entry.digest != digest:
        raise Damaged(
            f"{path} in the store is not what was saved there: its digest differs.\n"
            "  fix: fetch an older version of it from the store, or save it again"
        )
    return digest


def _dress(handle: int, remote: Remote) -> None:
    entry = remote.described
    # What another tool wrote has the mode that the file had before, everywhere the same.
    before = remote.entry if remote.entry and remote.entry.kind == "file" else None
    os.fchmod(handle, entry.mode if entry else before.mode if before else MODE)
    mtime = entry.mtime if entry else remote.mtime
    os.utime(handle, ns=(mtime, mtime))


def _twin(context: SyncContext, entry: Entry) -> Path | None:
    """Another name of the same file, if it is here as the store has it."""
    base = context.journal.base(entry.same) if entry.same else None
    if base is None or base.digest != entry.digest:
        return None
    now = context.tree.look(entry.same)
    if not isinstance(now, Seen) or now.kind != "file":
        return None
    # A link changes the time of the last change and nothing else.
    same = (now.size, now.mtime, now.inode) == (base.seen.size, base.seen.mtime, base.seen.inode)
    alike = (now.mode, now.mtime) == (entry.mode, entry.mtime)
    return context.tree.home / entry.same if same and alike else None


def dress(
    context: SyncContext, path: str, local: Seen, base: Base | None, remote: Remote
) -> Outcome:
    """The content is the same: the local path gets the store's mode and times."""
    entry = remote.described
    if entry is None:
        return Outcome()
    full = context.tree.home / path
    if local.kind == "folder":
        full.chmod(entry.mode)
        return Outcome(agreed=Base(Seen("folder", mode=entry.mode), stamp=entry.stamp))
    assert base is not None  # only a folder is dressed without one
    handle = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with _closing(handle):
        now = os.fstat(handle)
        if (now.st_size, now.st_mtime_ns, now.st_ino) != (local.size, local.mtime, local.inode):
            raise Moved(path)
        os.fchmod(handle, entry.mode)
        os.utime(handle, ns=(entry.mtime, entry.mtime))
        seen = replace(
            local, mode=entry.mode, mtime=entry.mtime, ctime=os.fstat(handle).st_ctime_ns
        )
    return Outcome(agreed=replace(base, seen=seen, stamp=entry.stamp))


def remove(context: SyncContext, path: str, local: Seen) -> Outcome:
    """A path that is gone from the store goes from the local tree."""
    if local.kind == "file" and (there := context.remote(path)) is not None:
        return Outcome(done=False, looked=[there])  # the listing was older than that
    try:
        context.tree.remove(path, local)
    except Moved:
        # A folder that still holds what is not in the store: a change of its own.
        if local.kind != "folder" or context.journal.holds(path):
            raise
    context.journal.rebase(path, None)
    return Outcome()


def aside(context: SyncContext, path: str) -> Outcome:
    """Two versions: the local one takes a clear name, the store's comes in its place."""
    new = context.tree.aside(path, context.taken)
    return Outcome(done=False, moved=[new, path])


def compare(
    context: SyncContext, path: str, local: Seen, base: Base | None, remote: Remote
) -> Outcome:
    """Both sides changed a file: one change made twice, one of them ours, or two versions."""
    entry = remote.described
    key = key_of(path)
    theirs = entry.digest if entry else digest_of(context, key, remote.tag, remote.size)
    with open_source(context.tree.home / path, local, context.tree.scratch) as source:
        ours = source.digest()
        seen = source.seen
    agreed = Base(seen, remote.tag, theirs, entry.stamp if entry else NEVER, remote.size)
    if ours == theirs:
        if entry is None:
            agreed = replace(agreed, stamp=context.journal.announce(path, describe(agreed)).stamp)
        context.journal.rebase(path, agreed)
        if entry and (entry.mode, entry.mtime) != (seen.mode, seen.mtime):
            return dress(context, path, seen, agreed, remote)
        return Outcome()
    if base and ours == base.digest and not unaware(entry, base):
        return pull(context, path, local, remote)
    if (base and theirs == base.digest) or theirs in context.journal.intended(path):
        # The store's version is one that came from here.
        agreed = replace(agreed, seen=replace(seen, ctime=-1))
        context.journal.rebase(path, agreed)
        return Outcome(done=False, moved=[path])
    return aside(context, path)
