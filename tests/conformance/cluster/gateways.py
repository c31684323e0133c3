"""``cluster = "gateway"``, on dask-gateway's own server with UnsafeLocalBackend."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from unittest import mock

from greyhub.clusters import left_behind
from greyhub.conformance import ClusterSuite
from greyhub.conformance.testkit.ticket import configured, ticket
from tests.conformance.strangers.clusters import Gateway as Stranger


class ByAdapter(ClusterSuite):
    """Clusters as notebooks have them by an adapter of greyhub's: made, listed, joined."""

    def ticket(self, user: str) -> dict[str, Any]:
        """What the hub tells a server of the user's."""
        return ticket(configured(self.subject(), self.overridden(user), self.place), user)

    def environment(self, user: str) -> dict[str, str]:
        """The variables by which a notebook proves to be the user's."""
        return {"JUPYTERHUB_USER": user}

    def make(self, user: str, workers: int = 0, **options: Any) -> Any:
        with mock.patch.dict(os.environ, self.environment(user)):
            return self.subject().connect(self.ticket(user), workers=workers, **options)

    def clusters(self, user: str) -> Any:
        """As `greyhub.session.Session.clusters`."""
        with mock.patch.dict(os.environ, self.environment(user)):
            return self.subject().clusters(self.ticket(user))

    def list_clusters(self, user: str) -> list[str]:
        return [each.name for each in self.clusters(user)]

    def reattach(self, user: str, name: str) -> Any:
        return self.clusters(user)[name].join(shutdown_on_close=True)

    def reap(self) -> None:
        """What a notebook does with the next thing that it asks of the gateway."""
        asyncio.run(left_behind.end_all())


class Gateway(ByAdapter, Stranger):
    """greyhub's own, of a dask-gateway that runs elsewhere."""

    adapter = "greyhub.clusters.gateway:GatewayAdapter"
    endpoint = "GatewayAdapter.address"
    claims = {**Stranger.claims, "idle_timeout": {"GatewayAdapter.options": {"idle_timeout": 2.0}}}

    def config(self) -> dict[str, dict[str, Any]]:
        address = self.server.url
        proxy = address.replace("http://", "gateway://")  # Dask's traffic, not by the faults
        return {"GatewayAdapter": {"address": address, "proxy_address": proxy, "auth": "basic"}}
