"""The base of adapters whose clusters a dask-gateway makes: greyhub's broker, or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from greyhub.adapter import Contribution
from greyhub.clusters import Cluster, ClusterAdapter, gateway_connect
from greyhub.clusters.listing import ClusterList


class ByGateway(ClusterAdapter):
    """Says where the gateway is, and lets users and their servers ask it."""

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a cluster class is the base class's."""
        return None

    @property
    def gateway_ticket(self) -> dict[str, Any]:
        """The ticket, as `greyhub.clusters.gateway_connect` reads it."""
        raise NotImplementedError(f"{type(self).__name__}.gateway_ticket")

    def contribute(self) -> Contribution:
        """JupyterLab's button, and the variables of dask-gateway's own client."""
        button = super().contribute().environment
        found = gateway_connect.environment(self.gateway_ticket)
        return Contribution(environment={**button, **found})

    def roles(self, service: str) -> Sequence[Mapping[str, Any]]:
        """Roles that let users and their servers ask a service of this hub.

        Raises
        ------
        greyhub.errors.ConfigError
            A role that the administrator has written shuts them out.
        """
        gateway_connect.check_roles(self.parent.config, service)
        return gateway_connect.roles(self.parent.config, service)

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Where the gateway is."""
        return self.gateway_ticket

    @classmethod
    def connect(
        cls, ticket: Mapping[str, Any], workers: int | None = None, **options: Any
    ) -> Cluster:
        """A new cluster, of ``workers`` or none to begin with."""
        return gateway_connect.connect(ticket, workers, options)

    @classmethod
    def clusters(cls, ticket: Mapping[str, Any]) -> ClusterList:
        """The user's clusters at the gateway, of any server."""
        return gateway_connect.clusters(ticket)
