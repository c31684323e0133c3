"""A namespace's claims in memory: as much of the client as homes on claims ask for."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes_asyncio.client import ApiException

from greyhub.homespace.kubernetes import KubernetesHomespace


class FakeClaims:
    """Stands for `kubernetes_asyncio.client.CoreV1Api`; each call can be spoilt."""

    def __init__(self) -> None:
        self.claims: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.spoilt: dict[str, list[Exception]] = {}
        """By the beginning of a call's name: raised before (``get``) or after it (``lost``)."""
        self.api_client = SimpleNamespace(sanitize_for_serialization=deepcopy)

    def _asked(self, call: str) -> None:
        self.calls.append(call)
        if self.spoilt.get(call):
            raise self.spoilt[call].pop(0)

    def _named(self, name: str) -> dict[str, Any]:
        if name not in self.claims:
            raise refused(404, f'persistentvolumeclaims "{name}" not found')
        return self.claims[name]

    async def read_namespaced_persistent_volume_claim(self, name: str, namespace: str) -> Any:
        self._asked("get")
        return self._named(name)

    async def create_namespaced_persistent_volume_claim(self, namespace: str, body: Any) -> Any:
        self._asked("create")
        name = body["metadata"]["name"]
        if name in self.claims:
            raise refused(409, f'persistentvolumeclaims "{name}" already exists')
        about = {each: body["metadata"][each] for each in ("labels", "annotations")}
        made = self.add(name, spec=body["spec"], phase="Pending", **about)
        if self.spoilt.get("lost"):
            raise self.spoilt["lost"].pop(0)
        return made

    def add(self, name: str, *, spec: Any = None, phase: str = "Bound", **about: Any) -> Any:
        """A claim that is there."""
        spec = spec or {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        }
        metadata = {**deepcopy(about), "name": name, "uid": f"uid-of-{name}"}
        self.claims[name] = {"metadata": metadata, "spec": spec, "status": {"phase": phase}}
        return self.claims[name]

    async def patch_namespaced_persistent_volume_claim(
        self, name: str, namespace: str, body: Any
    ) -> Any:
        self._asked("patch")
        claim = self._named(name)
        labels = claim["metadata"].setdefault("labels", {})
        for label, value in body.get("metadata", {}).get("labels", {}).items():
            labels.pop(label, None)
            labels.update({} if value is None else {label: value})
        if "spec" in body:
            claim["spec"]["resources"] = deepcopy(body["spec"]["resources"])
        return claim

    async def delete_namespaced_persistent_volume_claim(
        self, name: str, namespace: str, body: Any
    ) -> None:
        self._asked("delete")
        if self._named(name)["metadata"]["uid"] != body["preconditions"]["uid"]:
            raise refused(409, "the UID in the precondition does not match")
        del self.claims[name]

    async def list_namespaced_persistent_volume_claim(
        self, namespace: str, label_selector: str
    ) -> Any:
        self._asked("list")
        wanted = [each.partition("=") for each in label_selector.split(",")]
        return SimpleNamespace(
            items=[
                claim
                for claim in self.claims.values()
                if all(
                    key in (found := claim["metadata"].get("labels", {}))
                    and (not mark or found[key] == value)
                    for key, mark, value in wanted
                )
            ]
        )

    async def read_namespaced_pod(self, name: str, namespace: str) -> Any:
        self._asked("get pod")
        raise refused(404, f'pods "{name}" not found')


def connected_to_claims(
    monkeypatch: pytest.MonkeyPatch, module: str, found: FakeClaims | None = None
) -> FakeClaims:
    """Claims in memory, to which a module connects as to a cluster."""
    found = found or FakeClaims()

    @asynccontextmanager
    async def connected() -> Any:
        yield None

    monkeypatch.setattr(f"{module}.connected", connected)
    monkeypatch.setattr("kubernetes_asyncio.client.CoreV1Api", lambda _: found)
    return found


def refused(status: int, message: str) -> ApiException:
    """An answer of the API server that says no."""
    error = ApiException(status=status, reason="no")
    error.body = json.dumps({"message": message})
    return error


def spawner(api: Any, user: str = "ada", **state: Any) -> Any:
    """A KubeSpawner, as far as a home asks."""
    return SimpleNamespace(
        user=SimpleNamespace(name=user),
        api=api,
        namespace="default",
        k8s_api_request_retry_timeout=1,
        modify_pod_hook=None,
        get_state=lambda: state,
    )


def opened(adapter: KubernetesHomespace, api: Any, user: str = "ada", **state: Any) -> str:
    """The claim that a start of a user's server has."""
    starting = spawner(api, user, **state)
    asyncio.run(adapter.ticket(starting))
    return str(starting.modify_pod_hook.home.claim)
