"""A pod per user, on Kubernetes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from greyhub.adapter import Contribution, Finding
from greyhub.deferred_secrets import read_secrets
from greyhub.errors import HomeError
from greyhub.hub_database import HubDatabase, Server
from greyhub.kubernetes.namespace import servers_namespace
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

        kept = f"sqlite:///{self.parent.private / 'jupyterhub.sqlite'}"
        url = self.parent.config.get("JupyterHub", {}).get("db_url", kept)
        known: set[Server] = set()
        with suppress(HomeError):
            known = await asyncio.to_thread(HubDatabase(str(read_secrets(url))).servers)
        return await cluster(self.namespace, hub_id=self.hub_id, known=known)

    @property
    def hub_id(self) -> str:
        """The mark of this hub: as it is set, or the one in its state; empty before it has any."""
        if "hub_id" in self.parent.config.get("PodSpawner", {}):
            return str(self.parent.config.PodSpawner.hub_id)
        kept = self.parent.private / "kubernetes-id"
        return kept.read_text().strip() if kept.exists() else ""

    @property
    def namespace(self) -> str:
        """Where the pods are: as it is set, or the hub's own, as KubeSpawner has it."""
        return servers_namespace(self.parent.config)

    def label(self) -> str:
        """What a server is."""
        return "a pod per user"
