"""The contract of a working copy's store: seven operations on objects, by key and tag.

A key is the name of an object below the home's root; a tag differs whenever an
object's content does.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from greyhub.homespace.sync.source import Source

ABSENT: Final = ""
"""Expected tag of an object that is not there."""


class Found(NamedTuple):
    """An object of the store."""

    key: str
    size: int
    tag: str
    mtime: int = 0


class Changed(Exception):
    """The object is not the one that was expected: somebody else wrote it."""


class Store(Protocol):
    """One home in a store.

    All methods block and may be called from many threads. Whatever goes wrong is
    an exception: only ``None`` and FileNotFoundError say that a thing is not there.
    """

    name: str
    """The home's URL, without secrets, for messages."""

    def list(self, prefix: str = "") -> Iterator[Found]:
        """All objects whose key begins so, or an error: never only some of them."""

    def find(self, key: str) -> Found | None:
        """One object."""

    def fetch(self, key: str, tag: str | None, into: BinaryIO, size: int = 0) -> str:
        """Write the content to ``into`` and return its tag.

        With its ``size`` in bytes, a large object may be read in parallel; parts that
        come before their turn are told to ``into.ahead(data, start)``, if there is one.

        Raises
        ------
        Changed
            The object has another tag than the expected one.
        FileNotFoundError
            It is not there.
        """

    def put(self, key: str, source: Source, expect: str | None) -> str:
        """Publish the content, whole or not at all, and return the new tag.

        Raises
        ------
        Changed
            The object there has another tag than ``expect``, which may be
            `ABSENT`; with None, anything is overwritten.
        """

    def copy(self, key: str, tag: str, to: str) -> str:
        """Copy an object within the store to where none is, and return the copy's tag."""

    def delete(self, key: str, expect: str | None) -> None:
        """Delete an object, `Changed` if it is not the expected one; fine if it is gone."""


def read(store: Store, key: str) -> bytes:
    """The content of a small object."""
    into = io.BytesIO()
    store.fetch(key, None, into)
    return into.getvalue()
