"""From the store to the local tree."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from greyhub.homespace.sync.desk import Damaged, Desk, Outcome
from greyhub.homespace.sync.keys import key_of
from greyhub.homespace.sync.place import Moved
from greyhub.homespace.sync.plan import unaware
from greyhub.homespace.sync.push import digest_of
from greyhub.homespace.sync.records import NEVER, Base, Entry, Remote, Seen, describe
from greyhub.homespace.sync.source import LocalTrouble, open_source

MODE: Final = 0o644
"""Of a file that another tool put into the store."""

FOLDER: Final = 0o755


def pull(desk: Desk, path: str, local: Seen | None, remote: Remote) -> Outcome:
    """The store's version of a path comes into its place, where ``local`` is now."""
    entry = remote.described
    stamp = entry.stamp if entry else NEVER
    if remote.kind == "folder":
        mode = entry.mode if entry else FOLDER
        desk.place.folder(path, mode, local)
        return Outcome(agreed=Base(Seen("folder", mode=mode), stamp=stamp))
    made = desk.place.temporary()
    try:
        if remote.kind == "link":
            target = entry.target if entry else ""
            os.symlink(target, made)
            desk.place.put(made, path, local)
            return Outcome(agreed=Base(Seen("link", target=target), stamp=stamp))
        if entry and (twin := _twin(desk, entry)):
            os.link(twin, made)
            digest = entry.digest
        else:
            digest = _fetch(desk, path, remote, made)
            _dress(made, entry, remote)
        with open(made, "rb") as file:
            before = os.fstat(file.fileno())
            desk.place.put(made, path, local)
            seen = _placed(before, os.fstat(file.fileno()))
    finally:
        made.unlink(missing_ok=True)
    agreed = Base(seen, remote.tag, digest, stamp, remote.size)
    if entry is None:  # another tool wrote it: from now on the manifest knows its digest
        stamp = desk.journal.announce(path, describe(agreed), late=True).stamp
    return Outcome(agreed=replace(agreed, stamp=stamp), bytes=remote.size)


def _fetch(desk: Desk, path: str, remote: Remote, made: Path) -> str:
    with open(made, "xb", buffering=0) as file:
        os.fchmod(file.fileno(), 0o600)
        writer = _Both(file)
        desk.store.fetch(key_of(path), remote.tag, cast(BinaryIO, writer), remote.size)
    digest = writer.digest.hexdigest()
    entry = remote.described
    if entry and entry.digest and entry.digest != digest:
        raise Damaged(
            f"{path} in the store is not what was saved there: its digest differs.\n"
            "  to mend: fetch an older version of it from the store, or save it again"
        )
    return digest


class _Both:
    """Writes into a file and keeps the digest."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        try:
            return self.file.write(data)
        except OSError as error:
            raise LocalTrouble(f"the local disk: {error.strerror}") from error


def _dress(made: Path, entry: Entry | None, remote: Remote) -> None:
    # What another tool wrote has the mode that the file had before, everywhere the same.
    before = remote.entry if remote.entry and remote.entry.kind == "file" else None
    made.chmod(entry.mode if entry else before.mode if before else MODE)
    mtime = entry.mtime if entry else remote.mtime
    os.utime(made, ns=(mtime, mtime))


def _twin(desk: Desk, entry: Entry) -> Path | None:
    """Another name of the same file, if it is here as the store has it."""
    base = desk.journal.base(entry.same) if entry.same else None
    if base is None or base.digest != entry.digest:
        return None
    now = desk.place.look(entry.same)
    if not isinstance(now, Seen) or now.kind != "file":
        return None
    # A link changes the time of the last change and nothing else.
    same = (now.size, now.mtime, now.inode) == (base.seen.size, base.seen.mtime, base.seen.inode)
    alike = (now.mode, now.mtime) == (entry.mode, entry.mtime)
    return desk.place.home / entry.same if same and alike else None


def _placed(before: os.stat_result, after: os.stat_result) -> Seen:
    """A file that was just put in its place; what its user did to it since is a change."""
    still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return Seen(
        "file",
        mode=stat.S_IMODE(before.st_mode),
        size=before.st_size,
        mtime=before.st_mtime_ns,
        ctime=after.st_ctime_ns if still else -1,
        inode=before.st_ino,
        names=after.st_nlink,
    )


def dress(desk: Desk, path: str, local: Seen, base: Base | None, remote: Remote) -> Outcome:
    """The content is the same: the local path gets the store's mode and times."""
    entry = remote.described
    if entry is None:
        return Outcome()
    full = desk.place.home / path
    if local.kind == "folder":
        full.chmod(entry.mode)
        return Outcome(agreed=Base(Seen("folder", mode=entry.mode), stamp=entry.stamp))
    assert base is not None  # only a folder is dressed without one
    handle = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        now = os.fstat(handle)
        if (now.st_size, now.st_mtime_ns, now.st_ino) != (local.size, local.mtime, local.inode):
            raise Moved(path)
        os.fchmod(handle, entry.mode)
        os.utime(handle, ns=(entry.mtime, entry.mtime))
        seen = replace(
            local, mode=entry.mode, mtime=entry.mtime, ctime=os.fstat(handle).st_ctime_ns
        )
    finally:
        os.close(handle)
    return Outcome(agreed=replace(base, seen=seen, stamp=entry.stamp))


def remove(desk: Desk, path: str, local: Seen) -> Outcome:
    """A path that is gone from the store goes from the local tree."""
    if local.kind == "file" and (there := desk.remote(path)) is not None:
        return Outcome(done=False, looked=[there])  # the listing was older than that
    try:
        desk.place.remove(path, local)
    except Moved:
        # A folder that still holds what is not in the store: a change of its own.
        if local.kind != "folder" or desk.journal.holds(path):
            raise
    desk.journal.rebase(path, None)
    return Outcome()


def aside(desk: Desk, path: str) -> Outcome:
    """Two versions: the local one takes a clear name, the store's comes in its place."""
    new = desk.place.aside(path, desk.taken)
    return Outcome(done=False, moved=[new, path])


def compare(desk: Desk, path: str, local: Seen, base: Base | None, remote: Remote) -> Outcome:
    """Both sides changed a file: one change made twice, one of them ours, or two versions."""
    entry = remote.described
    key = key_of(path)
    theirs = entry.digest if entry else digest_of(desk, key, remote.tag, remote.size)
    with open_source(desk.place.home / path, local, desk.place.scratch) as source:
        ours = source.digest()
        seen = source.seen
    agreed = Base(seen, remote.tag, theirs, entry.stamp if entry else NEVER, remote.size)
    if ours == theirs:
        if entry is None:
            agreed = replace(agreed, stamp=desk.journal.announce(path, describe(agreed)).stamp)
        desk.journal.rebase(path, agreed)
        if entry and (entry.mode, entry.mtime) != (seen.mode, seen.mtime):
            return dress(desk, path, seen, agreed, remote)
        return Outcome()
    if base and ours == base.digest and not unaware(entry, base):
        return pull(desk, path, local, remote)
    if (base and theirs == base.digest) or theirs in desk.journal.intended(path):
        # The store's version is one that came from here.
        agreed = replace(agreed, seen=replace(seen, ctime=-1))
        desk.journal.rebase(path, agreed)
        return Outcome(done=False, moved=[path])
    return aside(desk, path)
