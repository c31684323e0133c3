"""State that pushing and pulling share: local tree, store, journal, manifest and quota."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from greyhub.errors import HomeError
from greyhub.homespace.sync.journal import Journal
from greyhub.homespace.sync.keys import key_of
from greyhub.homespace.sync.local_tree import LocalTree
from greyhub.homespace.sync.manifest import Manifest
from greyhub.homespace.sync.records import Base, Entry, Remote
from greyhub.homespace.sync.stores.base import Found, Store

QUOTA: Final = "the home's quota"
"""How the reason begins for which a path is not saved: there is no room for it."""


class Full(Exception):
    """The quota does not allow the store to grow by this."""


class Damaged(HomeError):
    """The store's content is not what its digest says."""


@dataclass(frozen=True)
class Quota:
    """What the store may hold of one home; 0 means no limit."""

    bytes: int = 0
    files: int = 0

    warn: float = 0.9
    """The part of it from which on the user is warned."""


class Usage:
    """What the store holds, and what is on its way.

    Parameters
    ----------
    quota : Quota
        Its limits.
    """

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.files = self.bytes = 0
        self._lock = threading.Lock()

    def count(self, files: int, size: int) -> None:
        """What the store holds now; nothing is on its way."""
        with self._lock:
            self.files, self.bytes = files, size

    @contextmanager
    def growing(self, files: int, size: int) -> Iterator[None]:
        """Count a change that is being made; less than there was is always allowed.

        Raises
        ------
        Full
            There is no room for it.
        """
        with self._lock:
            self._admit(files, size)
            self.files += files
            self.bytes += size
        try:
            yield
        except BaseException:
            with self._lock:
                self.files -= files
                self.bytes -= size
            raise

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return bool(self.quota.bytes or self.quota.files)

    def _admit(self, files: int, size: int) -> None:
        limit = self.quota
        if limit.files and files > 0 and self.files + files > limit.files:
            raise Full(f"{QUOTA} of {limit.files:,} files is used up")
        if limit.bytes and size > 0 and self.bytes + size > limit.bytes:
            free = max(0, limit.bytes - self.bytes)
            raise Full(
                f"{QUOTA} of {limit.bytes:,} bytes has {free:,} left, and this needs {size:,}"
            )

    @property
    def warning(self) -> str:
        """A sentence for the user when little is left."""
        limit = self.quota
        if limit.bytes and self.bytes >= limit.warn * limit.bytes:
            return f"{self.bytes:,} of the home's {limit.bytes:,} bytes are used"
        if limit.files and self.files >= limit.warn * limit.files:
            return f"{self.files:,} of the home's {limit.files:,} files are used"
        return ""


@dataclass
class SyncContext:
    """One working copy, as the steps of its work see it."""

    tree: LocalTree
    store: Store
    journal: Journal
    manifest: Manifest
    usage: Usage

    def remote(self, path: str) -> Remote | None:
        """A path in the store as it is now, by asking for it."""
        return view(self.store.find(key_of(path)), self.journal.entry(path))

    def taken(self, path: str) -> bool:
        """Whether a path is in use in the store, as far as is known."""
        entry = self.journal.entry(path)
        return (entry is not None and entry.kind != "gone") or self.journal.base(path) is not None


@dataclass
class Outcome:
    """What became of one path."""

    done: bool = True
    """Nothing is left to do for it; else it is decided anew."""
    agreed: Base | None = None
    """The state to be remembered once the local disk has it."""
    moved: list[str] = field(default_factory=list)
    """Other paths that need to be looked at now."""
    looked: list[Remote | None] = field(default_factory=list)
    """The path in the store, if that was asked for again."""
    bytes: int = 0
    """How much was transferred."""
    then: Callable[[], Outcome] | None = None
    """What is left to be done here, by the one thread that does such things; its outcome."""


def view(found: Found | None, entry: Entry | None) -> Remote | None:
    """A path in the store, from its object and what the manifest says."""
    if found is not None:
        return Remote("file", found.size, found.tag, found.mtime, entry)
    if entry is None or entry.kind == "gone" or entry.kind == "file":
        return None
    return Remote(entry.kind, entry=entry)


def assumed(base: Base | None, entry: Entry | None) -> Remote | None:
    """A path in the store as it was last known, without asking.

    Whatever is then done says to the store what it expects.
    """
    if base is not None and base.seen.kind == "file":
        return Remote("file", base.size, base.tag, entry=entry)
    return view(None, entry)
