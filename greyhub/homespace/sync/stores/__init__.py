"""The stores of working copies, by the seven operations that they offer.

`Store` is the contract; one module for each store that can do them better than
fsspec's own methods, and `generic` for all others. A key is the name of an
object below the home's root; a tag differs whenever an object's content does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

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


def open_store(filesystem: AbstractFileSystem, root: str) -> Store:
    """The home at ``root`` of a fsspec filesystem."""
    protocols = filesystem.protocol
    names = {protocols} if isinstance(protocols, str) else set(protocols)
    if names & {"file", "local"}:
        from greyhub.homespace.sync.stores.local import LocalStore

        return LocalStore(root)
    if names & {"s3", "s3a"}:
        from greyhub.homespace.sync.stores.s3 import S3Store

        return S3Store(lambda: filesystem, root)
    if names & {"abfs", "az", "abfss"}:
        from greyhub.homespace.sync.stores.azure import AzureStore

        return AzureStore(lambda: filesystem, root)
    from greyhub.homespace.sync.stores.generic import FsspecStore

    return FsspecStore(filesystem, root)


def open_url(url: str, options: dict[str, Any] | None = None) -> Store:
    """The home at a fsspec URL; ``options`` are those of its filesystem."""
    options = dict(options or {})
    # Nothing is believed that is not the store's answer of now, and no instance
    # that somebody else made with other rights.
    options.update(skip_instance_cache=True, use_listings_cache=False)
    if url.startswith(("s3://", "s3a://")):
        from greyhub.homespace.sync.stores.s3 import open_s3

        return open_s3(url, options)
    from fsspec.core import url_to_fs

    filesystem, root = url_to_fs(url, **options)
    return open_store(filesystem, root)


def read(store: Store, key: str) -> bytes:
    """The content of a small object."""
    import io

    into = io.BytesIO()
    store.fetch(key, None, into)
    return into.getvalue()
