"""The cluster that a hub works with: its client, and the namespace of the servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from greyhub.errors import HomeError

OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod finds the name of its namespace."""


def namespace_of(config: Mapping[str, Any]) -> str:
    """Where the pods are: as it is set, or the hub's own, as KubeSpawner has it."""
    for section in ("PodSpawner", "KubeSpawner"):
        if "namespace" in config.get(section, {}):
            return str(config[section].namespace)
    return OWN_NAMESPACE.read_text() if OWN_NAMESPACE.exists() else "default"


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
