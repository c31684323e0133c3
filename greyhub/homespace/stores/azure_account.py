"""Open an Azure storage account for homes, and say in words what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from greyhub.azureml import storage
from greyhub.errors import ConfigError, HomeError

WORDS: Final = {
    **storage.WORDS,
    "AuthorizationPermissionMismatch": "this login has no right to these files: the account's "
    "administrator gives it a role, Storage Blob Data Contributor, or an entry of the "
    "directory's access control list; a new role counts after some minutes",
    "ContainerNotFound": "the container is not there: the administrator makes it, or the hub "
    "with c.AzureMLHomespace.make",
    "FilesystemNotFound": "the container is not there: the administrator makes it",
}
"""What Azure's codes mean for a home."""


def in_words(code: str, status: int | None) -> str:
    """A code of Azure's with its status, and what it means for a home."""
    return storage.in_words(code, status, WORDS)


def open_filesystem(options: Mapping[str, Any], **how: Any) -> Any:
    """An adlfs filesystem that is nobody else's.

    Parameters
    ----------
    options : mapping
        As adlfs takes them; with ``account_url``, also ``ca_bundle``, a file.

    Raises
    ------
    greyhub.errors.HomeError
        The file cannot be read.
    """
    if "account_url" not in options:
        from adlfs import AzureBlobFileSystem

        return AzureBlobFileSystem(**options, **how, skip_instance_cache=True)
    from greyhub.azureml.storage_filesystem import AccountFilesystem

    try:
        return AccountFilesystem(**options, **how, skip_instance_cache=True)
    except ConfigError as error:
        raise HomeError(str(error)) from None
