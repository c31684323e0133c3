"""Access control lists of Data Lake Storage: a directory that is one user's alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from greyhub.azureml.storage import SCOPE, trusting
from greyhub.errors import HomeError

VERSION: Final = "2023-11-03"
"""Of the REST API of Data Lake Storage."""

THERE: Final = ("ContainerAlreadyExists", "FilesystemAlreadyExists", "PathAlreadyExists")


def data_lake(url: str) -> str:
    """The account's address for directories and their access control lists."""
    return url.rstrip("/").replace(".blob.", ".dfs.", 1)


def access_list(owner: str) -> str:
    """The list by which a directory, and all that is made in it, is one user's alone."""
    own = ["user::rwx", f"user:{owner}:rwx", "group::---", "mask::rwx", "other::---"]
    return ",".join([*own, *(f"default:{each}" for each in own)])


def passable(acl: str) -> str:
    """An access control list with which anybody passes through, to what is theirs; or "".

    The empty text says that it is so already.
    """
    entries = acl.split(",")
    changed = [
        f"other::{each[7:9]}x" if each.startswith("other::") and each[9:10] != "x" else each
        for each in entries
    ]
    return "" if changed == entries else ",".join(changed)


def named(acl: str) -> set[str]:
    """The users whom a list gives anything in a directory, by their object ids."""
    entries = (each.split(":") for each in acl.split(","))
    return {each[1] for each in entries if len(each) == 3 and each[0] == "user" and each[1]}


async def give(filesystem: Any, container: str, directory: str, owner: str) -> None:
    """Make the directory, and let its owner be the only one who may do anything there."""
    from azure.core import AsyncPipelineClient
    from azure.core.pipeline import policies

    if filesystem.credential is None:
        raise HomeError(
            "access control lists are set by a login, and the hub was given a key\n"
            "  fix: let c.AzureMLHomespace.hub_options name a login, or leave it empty"
        )
    base = data_lake(filesystem.url)
    client: Any = AsyncPipelineClient(
        base_url=base,
        policies=[
            policies.AsyncRetryPolicy(),
            policies.AsyncBearerTokenCredentialPolicy(filesystem.credential, SCOPE),
        ],
        **trusting(filesystem.ca_bundle),
    )
    async with client:
        top = f"{base}/{container}"
        opened = await _send(client, "HEAD", f"{top}/?action=getAccessControl")
        if acl := passable(opened.headers.get("x-ms-acl", "")):
            await _set(client, f"{top}/", acl)
        place = ""
        for part in directory.split("/"):
            place = f"{place}/{quote(part, safe='')}"
            await _send(client, "PUT", f"{top}{place}?resource=directory", {"If-None-Match": "*"})
        found = await _send(client, "HEAD", f"{top}{place}?action=getAccessControl")
        users = named(found.headers.get("x-ms-acl", ""))
        if owner not in users:
            if users:
                raise HomeError(
                    f"{container}/{directory} is another user's: its access control list names "
                    f"{', '.join(sorted(users))}\n"
                    "  fix: the administrator looks whose it is, and gives one of the two another "
                    "place"
                )
            await _set(client, f"{top}{place}", access_list(owner))


async def _set(client: Any, url: str, acl: str) -> None:
    await _send(client, "PATCH", f"{url}?action=setAccessControl", {"x-ms-acl": acl})


async def _send(
    client: Any, method: str, url: str, headers: Mapping[str, str] | None = None
) -> Any:
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpRequest

    given = {"x-ms-version": VERSION, **(headers or {})}
    if method != "HEAD":
        given["Content-Length"] = "0"
    answer = await client.send_request(HttpRequest(method, url, headers=given))
    code = answer.headers.get("x-ms-error-code", "")
    if answer.status_code >= 400 and code not in THERE:
        error: Any = HttpResponseError(response=answer)
        error.error_code = code
        raise error
    return answer
