"""State that pushing and pulling share: local tree, store, journal, manifest and quota."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from greyhub.errors import HomeError
from greyhub.homespace.sync.journal import Journal
from greyhub.homespace.sync.keys import key_of
from greyhub.homespace.sync.local_tree import LocalTree
from greyhub.homespace.sync.manifest import Manifest
from greyhub.homespace.sync.quota import Usage
from greyhub.homespace.sync.records import Base, Entry, Remote
from greyhub.homespace.sync.stores.base import Found, Store


class Damaged(HomeError):
    """The store's content is not what its digest says."""


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
