"""Find and delete the pods of a hub that it does not know: those of servers it has forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from greyhub.hub_database import Server
from greyhub.kubernetes.objects import USER, Objects

SERVER: Final = "hub.jupyter.org/servername"
"""The annotation that names the server; KubeSpawner's."""

GRACE: Final = 30
"""Seconds for an orphan to end by itself."""


async def orphans(
    objects: Objects, labels: str, known: Collection[Server]
) -> list[Mapping[str, Any]]:
    """The pods with certain labels whose user and server are not known.

    Parameters
    ----------
    known : collection of tuple
        Is asked after the pods were listed: a server that was started meanwhile is no orphan.

    Raises
    ------
    greyhub.kubernetes.requests.Unreachable
        The API server does not say which pods there are.
    """
    return unknown(await objects.pods(labels), known)


def unknown(
    pods: Sequence[Mapping[str, Any]], known: Collection[Server]
) -> list[Mapping[str, Any]]:
    """Those of some pods whose user and server are not known."""
    now = set(known)  # it may be a question to the hub's database
    return [pod for pod in pods if server_of(pod) not in now]


async def delete_orphans(objects: Objects, labels: str, known: Collection[Server]) -> list[str]:
    """Delete such pods, with what belongs to them; their names, once they are gone."""
    found = [pod["metadata"] for pod in await orphans(objects, labels, known)]
    await asyncio.gather(*(_end(objects, each["name"], each["uid"]) for each in found))
    return [each["name"] for each in found]


async def _end(objects: Objects, name: str, uid: str) -> None:
    await objects.delete_pod(name, GRACE, uid=uid)
    with suppress(TimeoutError):
        async with asyncio.timeout(2 * GRACE):
            while (pod := await objects.pod(name)) and pod["metadata"]["uid"] == uid:  # noqa: ASYNC110
                await asyncio.sleep(1)


def server_of(pod: Mapping[str, Any]) -> Server:
    """The user and the server that a pod says it is for."""
    about = pod["metadata"].get("annotations", {})
    return about.get(USER, ""), about.get(SERVER, "")
