"""A client of the cluster that a hub works with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from greyhub.errors import HomeError


class NoCluster(HomeError):
    """No cluster is known here."""

    def __init__(self, why: Exception) -> None:
        self.what = f"no cluster is known here: {why}"
        self.fix = (
            "let KUBECONFIG name a kubeconfig file, or run the hub in a pod with a service account"
        )
        super().__init__(why)

    def __str__(self) -> str:
        return f"{self.what}.\n  fix: {self.fix}"


@asynccontextmanager
async def connected() -> AsyncIterator[Any]:
    """A client of the cluster that a service account or KUBECONFIG names.

    Raises
    ------
    NoCluster
        There is none.
    """
    from kubernetes_asyncio import client
    from kubernetes_asyncio.config import ConfigException
    from kubespawner.clients import load_config

    try:
        load_config()
    except (ConfigException, OSError) as error:
        raise NoCluster(error) from error
    async with client.ApiClient() as api:
        yield api
