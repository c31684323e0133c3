"""Clusters of pods: one for the scheduler, one for each worker, and a Secret.

No custom resource and no right beyond one namespace is needed. What there is of a cluster carries
the hub's label and a name that is made of the hub, the user and the cluster: after a crash, it is
found again. One watch tells of all pods.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from dask_gateway_server.backends.base import PublicException
from dask_gateway_server.backends.db_base import Cluster, JobStatus, Worker
from dask_gateway_server.options import Field
from kubernetes_asyncio.client import ApiException, CoreV1Api
from traitlets import Dict, Float, List, Unicode, default

from greyhub.broker.backend import BrokerBackend
from greyhub.broker.pod_choices import FIELDS, Choices, Offer
from greyhub.broker.pod_cluster_config import PodClusterConfig
from greyhub.broker.pod_cluster_manifest import CERTIFICATE, GRACE, KEY, MOUNTED, Parts
from greyhub.kubernetes.connection import connected
from greyhub.kubernetes.ending import end_pod
from greyhub.kubernetes.failures import exit_status, failure, main_container, refusal
from greyhub.kubernetes.names import hub_label
from greyhub.kubernetes.objects import CLUSTER, SHORT, START, Objects
from greyhub.kubernetes.requests import Unreachable, patiently
from greyhub.kubernetes.watching import Watch
from greyhub.spawners.profile_reading import read_profiles

MARGIN_TO_END = 30.0
"""Seconds that a pod may take to go, beyond its own, before it is asked again."""

ON_ITS_WAY = frozenset({"Pulling", "TriggeredScaleUp"})
"""Events after which it takes minutes, and all is well."""

Pod = Mapping[str, Any]
T = TypeVar("T")


class PodBackend(BrokerBackend):
    """The broker's backend on Kubernetes."""

    cluster_config_class = PodClusterConfig

    namespace = Unicode("default", help="Where clusters are made.").tag(config=True)
    servers_namespace = Unicode(help="Where servers are; by default, the same.").tag(config=True)
    patience = Float(
        20.0, help="Seconds for which an API server that does not answer is asked again."
    ).tag(config=True)
    allowed_images: List[Any] = List(Unicode(), help="Images that users may ask for.").tag(
        config=True
    )
    profiles: List[Any] = List(Dict(), help="As ``c.SpawnerAdapter.profiles``.").tag(config=True)
    gpu_resource = Unicode("nvidia.com/gpu", help="What Kubernetes calls a GPU.").tag(config=True)
    spot_node_selector = Dict(help="Labels of spot nodes.").tag(config=True)
    spot_tolerations: List[Any] = List(Dict(), help="What workers on spot nodes tolerate.").tag(
        config=True
    )

    @default("servers_namespace")
    def _same(self) -> str:
        return str(self.namespace)

    @default("cluster_status_period")
    def _often(self) -> float:
        return 3.0  # it costs no request: the watch is asked

    @default("worker_status_period")
    def _often_too(self) -> float:
        return 3.0

    @default("cluster_start_timeout")
    def _nodes_may_have_to_come(self) -> float:
        return 900.0

    @default("worker_start_timeout")
    def _nodes_may_have_to_come_too(self) -> float:
        return 900.0

    # The life of the broker.

    async def do_setup(self) -> None:
        """Connect, and begin to watch: nothing is waited for, since clusters are worked on."""
        self._open = AsyncExitStack()
        api = CoreV1Api(await self._open.enter_async_context(connected()))
        label = hub_label(self.hub_id)
        self.parts = Parts(self.hub_id, label)
        self.objects = Objects(api, self.namespace, self.patience)
        self.watch = Watch(
            api.list_namespaced_pod,
            {"namespace": self.namespace, "label_selector": self.parts.selector},
            self.log,
        )
        self._open.push_async_callback(self.watch.stop)
        profiles, problems = read_profiles(self.profiles)
        if problems:
            raise problems[0]
        offer = Offer(
            self.allowed_images,
            profiles,
            self.gpu_resource,
            self.spot_node_selector,
            self.spot_tolerations,
        )
        servers = Objects(api, self.servers_namespace, SHORT)
        self.choices = Choices(offer, servers, label, self.namespace)
        self._sweeping = asyncio.Lock()
        self._ends: dict[str, str] = {}

    async def do_cleanup(self) -> None:
        """End the watch and the connection."""
        if hasattr(self, "_open"):
            await self._open.aclose()

    # What may be asked for.

    def cluster_fields(self, user: Any) -> Sequence[Field]:
        """Image, profile, spot nodes, the home."""
        return FIELDS

    async def cluster_settings(self, asked: Mapping[str, Any], user: Any) -> dict[str, Any]:
        """What those mean for the pods."""
        own = self.cluster_config_class(parent=self)
        return await self.choices.settings(asked, user, own)

    def get_tls_paths(self, cluster: Cluster) -> tuple[str, str]:
        """Where the Secret is mounted."""
        return f"{MOUNTED}/{CERTIFICATE}", f"{MOUNTED}/{KEY}"

    # Start.

    async def do_start_cluster(self, cluster: Cluster) -> AsyncIterator[dict[str, Any]]:
        """Make the Secret and the scheduler's pod, or find them."""
        scheduler = self.get_scheduler_env(cluster)
        secret = self.parts.secret(cluster, {**self.get_worker_env(cluster), **scheduler})
        async with self._sweeping:
            owner = await self._asked("the cluster's Secret", self.objects.write("secret", secret))
        yield {"secret": owner}
        command = self.get_scheduler_command(cluster)
        await self._create(self.parts.scheduler(cluster, owner, command, list(scheduler)))

    async def do_start_worker(self, worker: Worker) -> AsyncIterator[dict[str, Any]]:
        """Make a worker's pod, or find it."""
        cluster = worker.cluster
        command = self.get_worker_command(cluster, worker.name)
        variables = list(self.get_worker_env(cluster))
        owner = cluster.state["secret"]
        await self._create(self.parts.worker(worker, owner, command, variables))
        yield {}

    async def _create(self, pod: Any) -> None:
        """Create a pod; one that is there and has the same mark is this one."""
        name, marks = pod.metadata.name, pod.metadata.annotations
        found = await self._asked("the pod", self.objects.create_pod(pod))
        if found is None:
            raise Unreachable(f"the pod {name} is about to go")
        if (found.get("annotations") or {}).get(START) != marks[START]:
            raise PublicException(f"there is another pod that is called {name}")

    async def _asked(self, what: str, request: Awaitable[T]) -> T:
        """What was asked for; a refusal is raised in words."""
        try:
            return await request
        except ApiException as error:
            why = refusal(error, what) or f"the cluster refuses: {error.status} {error.reason}."
            raise PublicException(f"{what} cannot be made: {why}") from error

    # End.

    async def do_stop_cluster(self, cluster: Cluster) -> None:
        """Delete the Secret and all pods; returns when they are gone."""
        await self.objects.delete("secret", self.parts.secret_name(cluster))
        selector = self.parts.selector_of(cluster.name)
        while pods := await self.objects.pods(selector):
            await self._end(pods)
        self._ends.pop(cluster.name, None)

    async def do_stop_worker(self, worker: Worker) -> None:
        """Delete a worker's pod; returns when it is gone."""
        name = self.parts.worker_name(worker)
        pod = self._known(name)
        if pod and worker.target == JobStatus.FAILED and (why := await self._why(pod)):
            self._ends[worker.cluster.name] = f"A worker has ended: {why}"
        await end_pod(self.objects, self.watch, name, GRACE, MARGIN_TO_END)

    async def do_end_unknown(self, known: Collection[str]) -> Sequence[str]:
        """End pods and Secrets of clusters that are not known; the names of the pods."""
        found = [
            pod
            for pod in await self.objects.pods(self.parts.selector)
            if pod["metadata"]["labels"][CLUSTER] not in known
        ]
        await self._end(found)
        async with self._sweeping:  # no Secret is made between the question and the answer
            names = ",".join(sorted(known))
            rest = f",{CLUSTER} notin ({names})" if names else ""
            await patiently(lambda: self._delete_secrets(self.parts.selector + rest), SHORT)
        return [pod["metadata"]["name"] for pod in found]

    async def _delete_secrets(self, selector: str) -> None:
        """Delete Secrets unseen: to list them would be to read them all."""
        answer = await self.objects.api.delete_collection_namespaced_secret(
            self.namespace, label_selector=selector, _preload_content=False
        )
        answer.close()
        if answer.status >= 300:
            raise ApiException(status=answer.status, reason=answer.reason)

    async def _end(self, pods: Sequence[Pod]) -> None:
        ended = await asyncio.gather(
            *(
                end_pod(self.objects, self.watch, pod["metadata"]["name"], GRACE, MARGIN_TO_END)
                for pod in pods
            ),
            return_exceptions=True,
        )
        for outcome in ended:
            if outcome is not None:
                raise outcome

    # Do they live?

    def _known(self, name: str) -> Pod | None:
        """A pod, as far as the watch knows it."""
        return self.watch.pods.get(f"{self.namespace}/{name}")

    async def do_check_clusters(self, clusters: Sequence[Cluster]) -> list[bool]:
        """Whether their schedulers have not ended, or that is not known."""
        return await self._alive([self.parts.scheduler_name(each) for each in clusters])

    async def do_check_workers(self, workers: Sequence[Worker]) -> list[bool]:
        """Whether they have not ended, or that is not known."""
        return await self._alive([self.parts.worker_name(each) for each in workers])

    async def _alive(self, names: Sequence[str]) -> list[bool]:
        """Whether each pod is there and may start or runs; true where the API server is away."""
        pods = {name: self._known(name) for name in names}
        if None in pods.values():  # the watch may be late, or may not have begun
            objects = Objects(self.objects.api, self.namespace, SHORT)
            try:
                listed = await objects.pods(self.parts.selector)
            except (Unreachable, ApiException):
                return [pod is None or _may_run(pod) for pod in pods.values()]
            pods |= {pod["metadata"]["name"]: pod for pod in listed}
        return [(pod := pods[name]) is not None and _may_run(pod) for name in names]

    # Why not?

    async def do_reason(self, cluster: Cluster) -> str:
        """Why its scheduler, or if that runs, its workers do not start, or have ended."""
        name = self.parts.scheduler_name(cluster)
        pod = self._known(name) or await self.objects.pod(name)
        if pod is None:
            return ""
        if why := await self._why(pod):
            return why
        if cluster.status != JobStatus.RUNNING:
            if pod["status"].get("phase") != "Running":
                return ""
            said = await self.objects.log(name, main_container(pod))
            return f"Its scheduler runs, and has not told the broker yet.\nIts log ends:\n{said}"
        for worker in list(self.watch.pods.values()):
            about = worker["metadata"]
            if about["labels"][CLUSTER] != cluster.name or about["name"] == name:
                continue
            if why := await self._why(worker):
                return why
        return self._ends.get(cluster.name, "")

    async def _why(self, pod: Pod) -> str:
        """Why a pod does not start, or has ended, with the end of its log; empty if it runs."""
        name, phase = pod["metadata"]["name"], pod["status"].get("phase")
        events = await self.objects.events(name) if phase == "Pending" else []
        why = failure(pod, events)
        if why is None:
            waits = [each for each in events if each.get("reason") in ON_ITS_WAY]
            return f"It is on its way: {waits[-1]['message']}" if waits else ""
        said = await self.objects.log(name, why.container) if why.container else ""
        return f"{why}\nIts log ends:\n{said}" if said else str(why)


def _may_run(pod: Pod) -> bool:
    """Whether a pod runs, or may start yet."""
    why = failure(pod)
    return exit_status(pod) is None and not (why and why.final)
