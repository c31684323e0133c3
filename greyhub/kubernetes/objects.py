"""Create, read and delete pods and Secrets by name, so that a lost reply changes nothing.

Whatever is made has a deterministic name and the mark of the start that made it. A
create that is repeated finds what the first one made, and takes it for its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from greyhub.kubernetes.requests import Unreachable, patiently

START: Final = "greyhub/start"
"""The annotation that tells which start made something."""

HUB: Final = "greyhub/hub"
"""The label that tells whose something is."""

TAIL: Final = 20
"""Lines of a log that an error shows."""

SHORT: Final = 5.0
"""Seconds for a question without which it goes on, too."""


class Objects:
    """The objects of one namespace.

    Parameters
    ----------
    api : kubernetes_asyncio.client.CoreV1Api
        The client.
    namespace : str
        The namespace.
    patience : float
        Seconds to go on asking an API server that does not answer.
    """

    def __init__(self, api: Any, namespace: str, patience: float) -> None:
        self.api, self.namespace, self.patience = api, namespace, patience

    async def pod(self, name: str) -> Mapping[str, Any] | None:
        """A pod as the API server knows it now; None if there is none.

        Raises
        ------
        Unreachable
            It does not say.
        """
        from kubernetes_asyncio.client import ApiException

        try:
            found = await patiently(
                lambda: self.api.read_namespaced_pod(name, self.namespace), SHORT
            )
        except ApiException as error:
            if error.status == 404:
                return None
            said = f"{error.status} {error.reason}"
            raise Unreachable(f"the Kubernetes API server: {said}") from error
        pod: Mapping[str, Any] = self.api.api_client.sanitize_for_serialization(found)
        return pod

    async def create_pod(self, pod: Any) -> Mapping[str, Any] | None:
        """Create a pod; its metadata, or that of the pod that has its name already.

        None if that one has gone meanwhile: ask again.
        """
        from kubernetes_asyncio.client import ApiException

        async def create() -> Mapping[str, Any] | None:
            try:
                made = await self.api.create_namespaced_pod(self.namespace, pod)
            except ApiException as error:
                if error.status != 409:
                    raise
                found = await self.pod(pod.metadata.name)
                return found["metadata"] if found else None
            return {"uid": made.metadata.uid, "annotations": made.metadata.annotations or {}}

        return await patiently(create, self.patience)

    async def delete_pod(self, name: str, grace: int) -> None:
        """Ask for the end of a pod, with so many seconds to end by itself; fine if it is gone."""
        await self._gone(
            lambda: self.api.delete_namespaced_pod(name, self.namespace, grace_period_seconds=grace)
        )

    async def log(self, pod: str, container: str) -> str:
        """The end of a container's log; empty if there is none."""
        from kubernetes_asyncio.client import ApiException

        try:
            said = await patiently(
                lambda: self.api.read_namespaced_pod_log(
                    pod, self.namespace, container=container, tail_lines=TAIL
                ),
                SHORT,
            )
        except (ApiException, Unreachable):
            return ""
        return str(said or "").rstrip()

    async def write_secret(self, secret: Any) -> None:
        """Create a Secret, or replace the one of its name."""
        from kubernetes_asyncio.client import ApiException

        async def write() -> None:
            try:
                await self.api.create_namespaced_secret(self.namespace, secret)
            except ApiException as error:
                if error.status != 409:
                    raise
                name = secret.metadata.name
                await self.api.replace_namespaced_secret(name, self.namespace, secret)

        await patiently(write, self.patience)

    async def give_secret(self, name: str, pod: str, uid: str) -> None:
        """Let a Secret go with a pod, however that goes; it is deleted by name besides."""
        from kubernetes_asyncio.client import ApiException

        owner = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid}
        body = {"metadata": {"ownerReferences": [owner]}}
        with suppress(ApiException, Unreachable):
            await patiently(
                lambda: self.api.patch_namespaced_secret(name, self.namespace, body), SHORT
            )

    async def delete_secret(self, name: str) -> None:
        """Delete a Secret; fine if it is gone."""
        await self._gone(lambda: self.api.delete_namespaced_secret(name, self.namespace))

    async def _gone(self, delete: Callable[[], Awaitable[Any]]) -> None:
        from kubernetes_asyncio.client import ApiException

        async def attempt() -> None:
            try:
                await delete()
            except ApiException as error:
                if error.status != 404:
                    raise

        await patiently(attempt, self.patience)
