"""The stores of working copies, and how one is opened.

`base` is the contract; one module for each store that can keep it better than
fsspec's own methods, and `generic` for all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greyhub.homespace.sync.stores.base import Store

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["open_store", "open_url"]


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
    given, options = dict(options or {}), dict(options or {})
    # Nothing is believed that is not the store's answer of now, and no instance
    # that somebody else made with other rights.
    options.update(skip_instance_cache=True, use_listings_cache=False)
    if url.startswith(("s3://", "s3a://")):
        from greyhub.homespace.sync.stores.s3 import open_s3

        return open_s3(url, options)
    if url.startswith(("abfs://", "abfss://", "az://")):
        from greyhub.homespace.sync.stores.azure import open_azure

        return open_azure(url, given)
    from fsspec.core import url_to_fs

    filesystem, root = url_to_fs(url, **options)
    return open_store(filesystem, root)
