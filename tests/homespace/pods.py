"""A namespace's pods in memory, which do what they are told in a directory that is their volume."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from greyhub.homespace import remove_in_pod
from greyhub.homespace.shared_claim import VOLUME
from tests.homespace.claims import FakeClaims, refused


class FakePods(FakeClaims):
    """Stands for `kubernetes_asyncio.client.CoreV1Api`, claims and pods.

    Parameters
    ----------
    volume : Path
        What is on the claim that pods mount.
    """

    def __init__(self, volume: Path) -> None:
        super().__init__()
        self.volume = volume
        self.pods: dict[str, dict[str, Any]] = {}
        self.made: list[dict[str, Any]] = []
        """All pods that there ever were."""
        self.works: Callable[[dict[str, Any]], str] = self.remove
        """What a pod does: its log; it raises where the pod ends without a report."""
        self.phase = "Succeeded"
        """Of a pod that was made."""
        self._log: dict[str, str] = {}

    def remove(self, pod: dict[str, Any]) -> str:
        """Do in the volume what a pod is told."""
        [variable] = pod["spec"]["containers"][0]["env"]
        job = json.loads(variable["value"].replace("$$", "$"))
        assert job["volume"] == VOLUME
        said = io.StringIO()
        told = {variable["name"]: json.dumps({**job, "volume": str(self.volume)})}
        with mock.patch.dict(os.environ, told), redirect_stdout(said):
            assert remove_in_pod.main() == 0
        return said.getvalue()

    def add_pod(self, name: str, phase: str = "Running", **parts: Any) -> dict[str, Any]:
        """A pod that is there."""
        about = {"name": name, "uid": f"uid-{len(self.made)}", **parts.pop("metadata", {})}
        pod = {"metadata": about, "spec": parts.pop("spec", {}), "status": {"phase": phase}}
        self.pods[name] = pod
        self.made.append(pod)
        return pod

    async def until_made(self) -> None:
        """Wait until there is a pod."""
        while not self.pods:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def finish(self, name: str) -> None:
        """Let a pod do its work now."""
        self._log[name] = self.works(self.pods[name])
        self.pods[name]["status"]["phase"] = "Succeeded"

    async def create_namespaced_pod(self, namespace: str, body: Any) -> Any:
        self._asked("create pod")
        about = body.metadata
        if about.name in self.pods:
            raise refused(409, f'pods "{about.name}" already exists')
        metadata = {"labels": about.labels, "annotations": about.annotations}
        pod = self.add_pod(about.name, self.phase, metadata=metadata, spec=body.spec)
        if self.phase in ("Succeeded", "Failed"):
            self._log[about.name] = self.works(pod)
        if self.spoilt.get("lost pod"):
            raise self.spoilt["lost pod"].pop(0)
        uid, annotations = pod["metadata"]["uid"], about.annotations
        return SimpleNamespace(metadata=SimpleNamespace(uid=uid, annotations=annotations))

    async def read_namespaced_pod(self, name: str, namespace: str) -> Any:
        self._asked("get pod")
        if name not in self.pods:
            raise refused(404, f'pods "{name}" not found')
        return self.pods[name]

    async def list_namespaced_pod(self, namespace: str, label_selector: str) -> Any:
        self._asked("list pods")
        key, _, value = label_selector.partition("=")
        return {
            "items": [
                pod
                for pod in self.pods.values()
                if not key or pod["metadata"].get("labels", {}).get(key) == value
            ]
        }

    async def delete_namespaced_pod(
        self, name: str, namespace: str, grace_period_seconds: int, body: Any
    ) -> None:
        self._asked("delete pod")
        if name not in self.pods:
            raise refused(404, f'pods "{name}" not found')
        if body and self.pods[name]["metadata"]["uid"] != body["preconditions"]["uid"]:
            raise refused(409, "the UID in the precondition does not match")
        del self.pods[name]

    async def read_namespaced_pod_log(self, name: str, namespace: str, **how: Any) -> Any:
        self._asked("log")
        said = self._log.get(name, "")
        if "tail_lines" in how:
            return said

        async def chunks() -> AsyncIterator[bytes]:
            yield said.encode()

        content = SimpleNamespace(iter_any=chunks)
        return SimpleNamespace(status=200, content=content, close=lambda: None)
