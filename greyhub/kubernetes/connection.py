"""A client of the cluster that a hub works with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from greyhub.errors import HomeError


@asynccontextmanager
async def connected() -> AsyncIterator[Any]:
    """A client of the cluster that a service account or KUBECONFIG names.

    Raises
    ------
    greyhub.errors.HomeError
        There is none.
    """
    from kubernetes_asyncio import client
    from kubernetes_asyncio.config import ConfigException
    from kubespawner.clients import load_config

    try:
        load_config()
    except (ConfigException, OSError) as error:
        raise HomeError(
            f"no cluster is known here: {error}.\n  fix: let KUBECONFIG name a kubeconfig file, or "
            "do it in a pod with a service account"
        ) from error
    async with client.ApiClient() as api:
        yield api
