"""A pod per user, on Kubernetes."""

from __future__ import annotations

from collections.abc import Sequence

from greyhub.adapter import Contribution, Finding
from greyhub.kubernetes.connection import namespace_of
from greyhub.spawners import SpawnerAdapter


class KubernetesSpawnerAdapter(SpawnerAdapter):
    """A notebook server per user, in a pod: KubeSpawner, made to lose no server."""

    modules = ("kubespawner",)
    extra = "greyhub[kubernetes]"

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a Spawner class is the base class's."""
        return None

    def load_class(self) -> type:
        """KubeSpawner with greyhub's care for what may go wrong."""
        from greyhub.spawners.pod_spawner import PodSpawner

        return PodSpawner

    def contribute(self) -> Contribution:
        """The Spawner; how pods reach the hub is the administrator's to say."""
        return Contribution(
            config={
                "JupyterHub": {"spawner_class": self.load_class(), "cleanup_servers": False},
                "PodSpawner": {"state_dir": str(self.parent.private)},
            }
        )

    async def check(self) -> Sequence[Finding]:
        """Is the cluster there, and may the hub do in it what it must?"""
        from greyhub.kubernetes.live_check import cluster

        return await cluster(self.namespace)

    @property
    def namespace(self) -> str:
        """Where the pods are."""
        return namespace_of(self.parent.config)

    def label(self) -> str:
        """What a server is."""
        return "a pod per user"
