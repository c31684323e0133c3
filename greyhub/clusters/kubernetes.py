"""Dask clusters of pods, by a broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final

from traitlets import Dict, List, Unicode, default

from greyhub.adapter import Contribution, Finding
from greyhub.class_names import made_from
from greyhub.clusters.brokered import BrokeredCluster
from greyhub.errors import ConfigError
from greyhub.kubernetes.names import hub_id
from greyhub.kubernetes.namespace import servers_namespace, spawner_option, user_namespaces

RIGHTS: Final[Mapping[str, Sequence[str]]] = {
    "pods": ("create", "get", "list", "watch", "delete"),
    "pods/log": ("get",),
    "secrets": ("create", "update", "delete", "deletecollection"),
    "events": ("list",),
}
"""What the broker asks of the clusters' namespace, by resource."""


class KubernetesCluster(BrokeredCluster):
    """A pod for each scheduler and each worker, with the image of their owner's server."""

    modules = ("dask_gateway_server", "kubespawner")
    extra = "greyhub[kubernetes]"
    passed_on = (
        *BrokeredCluster.passed_on,
        "KUBECONFIG",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
    )
    needs: ClassVar[Mapping[str, str]] = {
        "servers-are-pods": "workers have the image of the server's pod, where none is set",
        "hub-reachable": "schedulers and workers report to the broker beside the hub",
    }

    namespace = Unicode(
        help="Where the pods are made; by default, where the servers' are. A home can be mounted "
        "only there."
    ).tag(config=True, example="dask")
    image = Unicode(
        help="The image of schedulers and workers. By default, the one of the server that asks: "
        "its packages are the same."
    ).tag(config=True, example="registry.example.org/notebook:2026.11")
    allowed_images: List[Any] = List(
        Unicode(), help="Other images that users may ask for, by ``image=``."
    ).tag(config=True, example=["registry.example.org/notebook:2026.10"])
    profiles: List[Any] = List(
        Dict(),
        help="What users may ask for by ``profile=``: workers on certain nodes, with GPUs, of a "
        "size. As ``c.SpawnerAdapter.profiles``, which is the default. Of a profile's cores, "
        "workers have whole ones.",
    ).tag(config=True, example=[{"name": "gpu", "memory": "32 GiB", "gpus": 1}])
    spot_node_selector = Dict(
        help="Labels of spot nodes, for workers that are asked for by ``spot=True``. Without it "
        "and ``spot_tolerations``, that is refused."
    ).tag(config=True, example={"kubernetes.azure.com/scalesetpriority": "spot"})
    spot_tolerations: List[Any] = List(Dict(), help="What those workers tolerate.").tag(
        config=True,
        example=[{"key": "kubernetes.azure.com/scalesetpriority", "operator": "Exists"}],
    )
    node_selector = Dict(help="Labels of the nodes for all pods of clusters.").tag(
        config=True, example={"pool": "dask"}
    )
    tolerations: List[Any] = List(Dict(), help="What all of them tolerate.").tag(
        config=True, example=[{"key": "dask", "operator": "Exists"}]
    )
    scheduler_priority_class = Unicode(help="The priority class of schedulers.").tag(
        config=True, example="users"
    )
    worker_priority_class = Unicode(
        help="The priority class of workers: of a low one, they make room for servers."
    ).tag(config=True, example="batch")
    pods = Dict(
        help="Further settings of the pods, each of which has a default: ``uid``, ``gid``, "
        "``fs_gid`` and ``supplemental_gids``, which are the server's; ``image_pull_policy`` and "
        "``image_pull_secrets``, too; ``scheduler_cores``, ``scheduler_memory`` and "
        "``worker_threads``, as in dask-gateway; ``scheduler_cores_guarantee``, "
        "``scheduler_memory_guarantee``, ``worker_cores_guarantee`` and "
        "``worker_memory_guarantee``, what is kept free for each; ``volumes``, "
        "``volume_mounts``, ``extra_labels`` and ``extra_annotations``."
    ).tag(config=True, example={"worker_cores_guarantee": 0.5, "extra_labels": {"team": "sea"}})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.image:  # servers may be anything
            rest = {name: why for name, why in self.needs.items() if name != "servers-are-pods"}
            self.needs = rest  # type: ignore[misc]

    @default("profiles")
    def _of_servers(self) -> list[Any]:
        config = self.parent.config
        for section in ("KubernetesSpawnerAdapter", "SpawnerAdapter"):
            if written := config.get(section, {}).get("profiles"):
                return list(written)
        return []

    @property
    def servers_namespace(self) -> str:
        """Where the servers' pods are."""
        return servers_namespace(self.parent.config)

    @property
    def hub_id(self) -> str:
        """What tells this hub's pods from others'."""
        set_to = spawner_option(self.parent.config, "hub_id")
        return str(set_to) if set_to else hub_id(self.parent.private)

    def backend(self) -> tuple[str, Mapping[str, Any]]:
        """Pods."""
        profiles = [{name: _plain(value) for name, value in each.items()} for each in self.profiles]
        return "greyhub.broker.pods.PodBackend", {
            "namespace": self.namespace or self.servers_namespace,
            "servers_namespace": self.servers_namespace,
            "allowed_images": self.allowed_images,
            "profiles": profiles,
            "gpu_resource": self._gpu_resource,
            "spot_node_selector": self.spot_node_selector,
            "spot_tolerations": self.spot_tolerations,
        }

    @property
    def _gpu_resource(self) -> str:
        section = self.parent.config.get("SpawnerAdapter", {})
        return str(section.get("gpu_resource", "nvidia.com/gpu"))

    def settings(self) -> dict[str, Any]:
        """What the broker is told, and what clusters are made of."""
        found = super().settings()
        made_of = {
            "image": self.image,
            "node_selector": self.node_selector,
            "tolerations": self.tolerations,
            "priority_class_name": self.scheduler_priority_class,
            "worker_priority_class_name": self.worker_priority_class,
        }
        found["config"]["PodClusterConfig"] = made_of | self.pods
        found["config"]["BrokerBackend"]["python"] = "python"  # the image's own
        return found

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Where the broker is. An interpreter of a server that is no pod is not in the image."""
        found = await super().ticket(spawner)
        if made_from(type(spawner), "KubeSpawner"):
            return found
        return {**found, "options": {**found["options"], "python": ""}}

    def contribute(self) -> Contribution:
        """The broker, which is told where the API server is."""
        if user_namespaces(self.parent.config) and not self.image:
            raise ConfigError(
                "servers are in namespaces of their users, and clusters in one for all: the image "
                "of the server that asks is not known",
                where="c.KubernetesCluster.image",
                fix="set it, or leave out c.KubeSpawner.enable_user_namespaces",
            )
        return super().contribute()

    async def check(self) -> Sequence[Finding]:
        """May the broker make and end pods?"""
        from greyhub.kubernetes.live_check import asked, rights_in

        namespace = self.namespace or self.servers_namespace

        async def question(api: Any) -> list[Finding]:
            what = "make and end clusters of pods"
            return await rights_in(api, namespace, RIGHTS, what)

        return [*await super().check(), *await asked(question)]


def _plain(value: Any) -> Any:
    """A value of a profile for JSON, which has no sets."""
    with suppress(TypeError):
        if isinstance(value, set | frozenset | tuple):
            return sorted(value)
    return value
