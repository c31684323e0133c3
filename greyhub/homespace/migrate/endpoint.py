"""The protocol of a copy endpoint: list, read and write one home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from greyhub.homespace.sync.records import Kind, Seen, Stamp
from greyhub.homespace.sync.source import Source

FILE, FOLDER = 0o644, 0o755
"""The modes of what has none: an object that another tool put into a store."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is at one path of a home."""

    path: str
    kind: Kind
    size: int = 0
    mode: int = FILE
    mtime: int = 0
    """Nanoseconds since 1970."""
    target: str = ""
    """Where a link points to."""
    same: str = ""
    """Another path that is a hard link to the same file, and comes before."""
    digest: str = ""
    """SHA-256 of the content, if that is known without reading it."""
    mark: str = ""
    """Differs whenever the content may."""
    stamp: Stamp | None = None
    """The version's place in the manifest, where the home has one."""

    @property
    def seen(self) -> Seen:
        """What is remembered of it when it was copied: another mark, another version."""
        return Seen(
            self.kind,
            mode=self.mode,
            size=self.size,
            mtime=self.mtime,
            target=self.target,
            beside=self.mark,
        )


class Unexpected(Exception):
    """Something else is at the path than was expected there."""


class Endpoint(Protocol):
    """One home. All methods block, and may be called from many threads."""

    name: str
    """Where it is, without secrets."""

    unreadable: list[str]
    """Paths that could not be looked at by `items`."""

    names: bool
    """Whether a file can have several names here."""

    def items(self) -> Iterator[Item]:
        """All that is there, each folder before what it holds; nothing if there is no home.

        Raises
        ------
        OSError
            It cannot be told what is there.
        """

    def find(self, path: str) -> Item | None:
        """What is at one path now."""

    def open(self, item: Item) -> AbstractContextManager[Source]:
        """The content of a file; `Other` if it is not this version any more."""

    def put(self, item: Item, source: Source, expect: str | None) -> tuple[str, str]:
        """Publish a file, whole or not at all; its mark, and the digest of what was read.

        Parameters
        ----------
        item : Item
            Its path, mode and times.
        source : Source
            Its content.
        expect : str | None
            The mark of the version that it replaces; None for none.

        Raises
        ------
        Other
            Something else is there.
        """

    def digest(self, item: Item) -> str:
        """The SHA-256 of a file's content, by reading it."""

    def make(self, item: Item, *, final: bool) -> None:
        """Make a folder, a link or another name of a file, and give a file its mode and times.

        Until it is ``final``, a folder can be written to. Raises `Other` as `put` does.
        """

    def describe(self, item: Item, mark: str, digest: str) -> None:
        """Write down what the place itself cannot say of a file that is there."""

    def settle(self, *, final: bool) -> None:
        """Wait until what was made is safe from a crash; finally, all of it is described."""

    def renew(self) -> None:
        """Use the credentials that are there now."""
