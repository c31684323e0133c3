"""A real hub with a broker for its clusters, as its users and its processes see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dask_gateway
import pytest
import requests

from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.processes import command, environment, started_in
from tests.support.waiting import MINUTE, until


class Gateway(dask_gateway.Gateway):
    """Without a finalizer, which waits for its own event loop wherever it happens to run."""

    def __del__(self) -> None:
        pass


class GatewayCluster(dask_gateway.GatewayCluster):
    def __del__(self) -> None:
        pass


class BrokerHub(Hub):
    """A hub whose clusters a broker starts."""

    def __init__(self, directory: Path, config: str = "") -> None:
        self.broker_port, self.api_port, self.dashboard_port = (free_port() for _ in range(3))
        super().__init__(
            directory,
            f"""\
c.GreyHub.cluster = "local-broker"
c.LocalBrokerCluster.port = {self.broker_port}
c.LocalBrokerCluster.api_port = {self.api_port}
c.LocalBrokerCluster.dashboard_port = {self.dashboard_port}
c.LocalBrokerCluster.server_grace = 0
"""
            + config,
        )

    def token_of(self, user: str) -> str:
        """The token of a user's server."""
        return self.environment(user)["JUPYTERHUB_API_TOKEN"]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.broker_port}/services/clusters"

    @contextmanager
    def gateway(self, user: str) -> Iterator[Any]:
        """dask-gateway's own client, as in the server of a user."""
        auth = dask_gateway.JupyterHubAuth(api_token=self.token_of(user))
        gateway = Gateway(
            self.address,
            f"gateway://127.0.0.1:{self.broker_port}",
            f"{self.url}services/clusters",
            auth,
        )
        with closing(gateway):
            yield gateway

    def parts(self, cluster: str) -> list[int]:
        """The processes of a cluster, found in /proc."""
        return [
            each.pid
            for each in started_in(self.directory)
            if f"DASK_GATEWAY_CLUSTER_NAME={cluster}" in environment(each).split("\0")
        ]

    def kinds(self, cluster: str) -> set[str]:
        """The scheduler and the workers of a cluster by name, each of which has processes."""
        given = [Path(f"/proc/{each}/environ").read_text() for each in self.parts(cluster)]
        return {each.split("GREYHUB_CLUSTER_PART=")[1].split("\0")[0] for each in given}

    def broker(self) -> int:
        """The broker's process."""
        found = [
            each.pid
            for each in started_in(self.directory)
            if command(each)[1:] == ["-m", "greyhub.broker"]
        ]
        assert len(found) == 1
        return int(found[0])

    def call(self, user: str, method: str, path: str, **options: Any) -> requests.Response:
        """Ask the broker's API with a user's token."""
        return requests.request(
            method,
            f"{self.address}/api/v1/{path}",
            headers={"Authorization": f"jupyterhub {self.token_of(user)}"},
            timeout=MINUTE,
            **options,
        )

    def cannot(self, user: str, **asked: Any) -> str:
        """Why the broker refuses to make a cluster."""
        answer = self.call(user, "POST", "clusters/", json={"cluster_options": asked})
        assert answer.status_code == 422
        return str(answer.json()["error"])

    def failed(self, user: str, **asked: Any) -> str:
        """Why a cluster does not start."""
        made = self.call(user, "POST", "clusters/", json={"cluster_options": asked})
        path = f"clusters/{made.json()['name']}"
        until(lambda: self.call(user, "GET", path).json()["status"] == "FAILED", 60, "the end")
        return str(self.call(user, "GET", f"{path}/reason").json()["reason"])


@pytest.fixture(autouse=True)
def no_finalizers(monkeypatch: pytest.MonkeyPatch) -> None:
    """dask-gateway's own clients, without what they do when they are collected."""
    monkeypatch.setattr("dask_gateway.client.Gateway", Gateway)
    monkeypatch.setattr("dask_gateway.client.GatewayCluster", GatewayCluster)
