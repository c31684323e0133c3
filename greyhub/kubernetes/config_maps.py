"""Read a ConfigMap by the API."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from greyhub.kubernetes.live_check import PATIENCE
from greyhub.kubernetes.requests import patiently


async def content(api: Any, namespace: str, name: str) -> dict[str, bytes] | None:
    """What stands under each key, text and binary alike; None if there is no such ConfigMap.

    Raises
    ------
    greyhub.kubernetes.requests.Unreachable
        The API server does not say.
    kubernetes_asyncio.client.ApiException
        It refuses.
    """
    from kubernetes_asyncio import client

    core = client.CoreV1Api(api)
    try:
        read = await patiently(lambda: core.read_namespaced_config_map(name, namespace), PATIENCE)
    except client.ApiException as error:
        if error.status != 404:
            raise
        return None
    texts = {key: text.encode() for key, text in (read.data or {}).items()}
    return texts | {key: b64decode(each) for key, each in (read.binary_data or {}).items()}
