"""Make a user's container or directory in an Azure storage account, and give it to them.

By the hub's own login. On an account with a hierarchical namespace, access control lists say
who may do what; elsewhere only role assignments do, and these are the administrator's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from greyhub.azureml.storage import code_of, no_answer
from greyhub.errors import HomeError
from greyhub.homespace.azure_access_lists import THERE, give
from greyhub.homespace.stores.azure_account import in_words, open_filesystem


async def make_home(
    options: Mapping[str, Any], container: str, directory: str = "", owner: str = ""
) -> None:
    """Make a container, and with an ``owner`` a directory in it that is theirs.

    Doing it again changes nothing that is as it should be.

    Parameters
    ----------
    options : mapping
        Of `open_filesystem`, read: the hub's own.
    container : str
        The container.
    directory : str
        The path of the directory.
    owner : str
        The object id of the user whose it is, on a hierarchical account; elsewhere empty.

    Raises
    ------
    greyhub.errors.HomeError
        The hub may not, or the account does not answer: says which, and what to do.
    """

    def begin() -> Any:
        from fsspec.asyn import sync

        filesystem = open_filesystem(options)
        return sync(filesystem.loop, _make, filesystem, container, directory, owner)

    await asyncio.to_thread(begin)


async def _make(filesystem: Any, container: str, directory: str, owner: str) -> None:
    from azure.core.exceptions import AzureError, HttpResponseError

    what = f"{container}/{directory}" if owner else f"the container {container}"
    try:
        try:
            await filesystem.service_client.create_container(container)
        except HttpResponseError as error:
            if code_of(error) not in THERE and not await _is_there(filesystem, container):
                raise
        if owner:
            await give(filesystem, container, directory, owner)
    except HttpResponseError as error:
        raise HomeError(
            f"the hub could not make {what} in {filesystem.url}: "
            f"{in_words(code_of(error), error.status_code)}\n"
            "  fix: give the hub's own login the role Storage Blob Data Owner there; or make it "
            "by hand, and set c.AzureMLHomespace.make = False"
        ) from None
    except AzureError as error:
        raise HomeError(
            f"the hub could not make {what} in {filesystem.url}: {no_answer(error)}\n"
            "  fix: try again in a moment; if it stays so, see greyhub check --live"
        ) from None


async def _is_there(filesystem: Any, container: str) -> bool:
    """A container that others have made: then the right to make one is not needed."""
    from azure.core.exceptions import HttpResponseError

    try:
        await filesystem.service_client.get_container_client(container).get_container_properties()
    except HttpResponseError:
        return False
    return True
