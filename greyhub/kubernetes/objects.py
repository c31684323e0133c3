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

CLUSTER: Final = "greyhub/cluster"
"""The label that names the Dask cluster whose part something is; servers have none."""

USER: Final = "hub.jupyter.org/username"
"""The annotation that names the user; KubeSpawner's."""

TAIL: Final = 20
"""Lines of a log that an error shows."""

SHORT: Final = 5.0
"""Seconds for a question without which it goes on, too."""


class Namespace:
    """One namespace of a cluster, as it is asked.

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

    def plain(self, found: Any) -> dict[str, Any]:
        """What the API server answers, as JSON values."""
        plain: dict[str, Any] = self.api.api_client.sanitize_for_serialization(found)
        return plain


class Objects(Namespace):
    """The pods of a namespace, and what belongs to them."""

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
        return self.plain(found)

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

    async def delete_pod(self, name: str, grace: int, uid: str = "") -> None:
        """Ask for the end of a pod, with so many seconds to end by itself; fine if it is gone.

        Parameters
        ----------
        uid : str
            Only the pod of this identity: another one of its name stays.
        """
        body = {"preconditions": {"uid": uid}} if uid else None
        await self._gone(
            lambda: self.api.delete_namespaced_pod(
                name, self.namespace, grace_period_seconds=grace, body=body
            )
        )

    async def pods(self, labels: str) -> list[Mapping[str, Any]]:
        """All pods with certain labels, as the API server knows them now."""
        found = await patiently(
            lambda: self.api.list_namespaced_pod(self.namespace, label_selector=labels),
            self.patience,
        )
        return list(self.plain(found)["items"])

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

    async def events(self, pod: str) -> list[Mapping[str, Any]]:
        """What happened to a pod, in the order of time; empty if that is not known."""
        from kubernetes_asyncio.client import ApiException

        about = f"involvedObject.kind=Pod,involvedObject.name={pod}"
        try:
            found = await patiently(
                lambda: self.api.list_namespaced_event(self.namespace, field_selector=about), SHORT
            )
        except (ApiException, Unreachable):
            return []
        return sorted(self.plain(found)["items"], key=time_of)

    async def write(self, kind: str, thing: Any) -> str:
        """Create a ``secret`` or ``service``, or replace the one of its name; its identity."""
        from kubernetes_asyncio.client import ApiException

        create = getattr(self.api, f"create_namespaced_{kind}")
        replace = getattr(self.api, f"replace_namespaced_{kind}")

        async def write() -> str:
            try:
                return await _unlogged(create(self.namespace, thing, _preload_content=False))
            except ApiException as error:
                if error.status != 409:
                    raise
                name = thing.metadata.name
                return await _unlogged(replace(name, self.namespace, thing, _preload_content=False))

        return await patiently(write, self.patience)

    async def give(self, kind: str, name: str, pod: str, uid: str) -> None:
        """Let a ``secret`` or ``service`` go with a pod, however that goes."""
        from kubernetes_asyncio.client import ApiException

        owner = {"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid}
        body = {"metadata": {"ownerReferences": [owner]}}
        patch = getattr(self.api, f"patch_namespaced_{kind}")
        with suppress(ApiException, Unreachable):  # it is deleted by name besides
            await patiently(
                lambda: _unlogged(patch(name, self.namespace, body, _preload_content=False)), SHORT
            )

    async def delete(self, kind: str, name: str) -> None:
        """Delete a ``secret`` or ``service``; fine if it is gone."""
        delete = getattr(self.api, f"delete_namespaced_{kind}")
        await self._gone(lambda: delete(name, self.namespace))

    async def _gone(self, delete: Callable[[], Awaitable[Any]]) -> None:
        from kubernetes_asyncio.client import ApiException

        async def attempt() -> None:
            try:
                await delete()
            except ApiException as error:
                if error.status not in (404, 409):  # 409: another has its name
                    raise

        await patiently(attempt, self.patience)


async def _unlogged(request: Awaitable[Any]) -> str:
    """Make a request whose answer the client would log, and a Secret is in it; its identity."""
    from kubernetes_asyncio.client import ApiException

    answer = await request
    try:
        if answer.status >= 300:
            error = ApiException(status=answer.status, reason=answer.reason)
            error.body, error.headers = await answer.text(), answer.headers
            raise error
        return str((await answer.json())["metadata"].get("uid", ""))
    finally:
        answer.close()


def time_of(event: Mapping[str, Any]) -> str:
    """When an event happened last."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
