"""What the cluster says of a server's pod: one watch of pods and one of events for all servers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from greyhub.kubernetes.objects import Objects
from greyhub.kubernetes.watching import Watch
from greyhub.spawners.pod_manifest import PodManifest
from greyhub.spawners.pod_start import start_report
from greyhub.starts.report import StartReport


class WatchedPod(PodManifest):
    """A pod of a server, as the watches know it."""

    reflectors: ClassVar[dict[Any, Watch]] = {}

    _pod_uid = ""
    """The identity of the pod of this start, once it is made."""

    def _get_reflector_key(self, kind: str) -> Any:
        return (asyncio.get_running_loop(), *super()._get_reflector_key(kind), self.hub_id)

    async def _start_reflector(self, kind: str, *_: Any, **__: Any) -> Watch:
        """The watch of a kind, once it has listed all there is."""
        watch = self._watch(kind)
        await watch.load(self.k8s_api_request_retry_timeout)
        return watch

    def _watch(self, kind: str) -> Watch:
        key = self._get_reflector_key(kind)
        if watch := self.reflectors.get(key):
            return watch
        where = {"field_selector": "involvedObject.kind=Pod"}
        if kind == "pods":
            where = {"label_selector": self.pods_of_the_hub}
        single = {"pods": "pod", "events": "event"}[kind]
        if self.enable_user_namespaces:
            method = f"list_{single}_for_all_namespaces"
        else:
            method, where = f"list_namespaced_{single}", where | {"namespace": self.namespace}
        watch = self.reflectors[key] = Watch(getattr(self.api, method), where, self.log)
        return watch

    @property
    def _key(self) -> str:
        return f"{self.namespace}/{self.pod_name}"

    def _known(self) -> Mapping[str, Any] | None:
        """The pod, as far as the watch knows it."""
        return self._watch("pods").pods.get(self._key)

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """The events about the pod of this start."""
        if not self.events_enabled or not self._pod_uid:
            return []
        about = self._watch("events").about(self._key)
        return [each for each in about if each["involvedObject"].get("uid") == self._pod_uid]

    @property
    def start_report(self) -> StartReport:
        """Where the time of the pod's start went, as far as the cluster says."""
        pod = self._known()
        if pod is None or pod["metadata"]["uid"] != self._pod_uid:
            return StartReport()
        return start_report(pod, self.events)

    @property
    def objects(self) -> Objects:
        """The pods and Secrets of the namespace."""
        return Objects(self.api, self.namespace, self.k8s_api_request_retry_timeout)
