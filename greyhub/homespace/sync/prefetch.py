"""Look up the journal and the local tree for many paths at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from greyhub.homespace.sync.context import SyncContext
from greyhub.homespace.sync.plan import Unknown
from greyhub.homespace.sync.records import Base, Entry, Seen


class Prefetch:
    """What the journal and the manifest have of some paths, and the local tree of any.

    Parameters
    ----------
    context : SyncContext
        The working copy.
    paths : Sequence[str]
        The paths that will most likely be asked for.
    """

    def __init__(self, context: SyncContext, paths: Sequence[str]) -> None:
        self.context, self.paths = context, frozenset(paths)
        self._bases = context.journal.bases_of(paths)
        self._firm: set[str] = set()

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        return self.context.journal.entries_of(list(self.paths))

    def base(self, path: str) -> Base | None:
        """The state on which both sides last agreed."""
        return self._bases.get(path) if path in self.paths else self.context.journal.base(path)

    def entry(self, path: str) -> Entry | None:
        """What the manifest says."""
        return self._entries.get(path) if path in self.paths else self.context.journal.entry(path)

    def local(self, path: str) -> Seen | Unknown | None:
        """The path in the local tree, as it is now."""
        return self.context.tree.look(path, self._firm)
