"""A real hub whose broker's clusters are jobs of the simulated workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import dask_gateway
import requests

from greyhub.conformance.testkit.azureml import Simulator
from tests.azureml.hubs import lines_of
from tests.support.brokers import Gateway
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.processes import command, started_in
from tests.support.waiting import until

SETTINGS = """
c.AzureML.poll_interval = 0.2
c.GreyHub.cluster = "azureml"
c.GreyHub.homespace = c.GreyHub.data = None
c.AzureMLCluster.port = {ports[0]}
c.AzureMLCluster.api_port = {ports[1]}
c.AzureMLCluster.dashboard_port = {ports[2]}
c.AzureMLCluster.job_environment = "dask"
c.AzureMLCluster.instance_type = "Standard_DS3_v2"
c.AzureMLCluster.job_python = {python!r}
c.AzureMLCluster.jobs_hub_url = f"http://127.0.0.1:{{c.JupyterHub.port}}/"
c.AzureMLCluster.networks = ["0.0.0.0/0"]
c.AzureMLCluster.worker_memory = "1 GiB"
"""


class AzureHub(Hub):
    """The hub; `tokens` are its users' own."""

    def __init__(
        self, azure: Simulator, directory: Path, config: str = "", python: str = sys.executable
    ) -> None:
        self.azure = azure
        self.ports = [free_port() for _ in range(3)]
        self.tokens: dict[str, str] = {}
        own = SETTINGS.format(python=python, ports=self.ports) + lines_of(azure)
        super().__init__(directory, own + config)

    @property
    def address(self) -> str:
        """The broker's, by its own proxy."""
        return f"http://127.0.0.1:{self.ports[0]}/services/clusters"

    def token_of(self, user: str) -> str:
        """What the hub gives a user's server."""
        if user not in self.tokens:
            self.api("POST", f"users/{user}")
            self.tokens[user] = self.api("POST", f"users/{user}/tokens")["token"]
        return self.tokens[user]

    @contextmanager
    def gateway(self, user: str) -> Iterator[Any]:
        """dask-gateway's own client."""
        auth = dask_gateway.JupyterHubAuth(api_token=self.token_of(user))
        where = f"gateway://127.0.0.1:{self.ports[0]}"
        found = Gateway(self.address, where, f"{self.url}services/clusters", auth)
        with closing(found):
            yield found

    def call(self, user: str, method: str, path: str, **more: Any) -> requests.Response:
        """Ask the broker's API with a user's token."""
        return requests.request(
            method,
            f"{self.address}/api/v1/{path}",
            headers={"Authorization": f"jupyterhub {self.token_of(user)}"},
            timeout=60,
            **more,
        )

    def ask(self, user: str, path: str) -> Any:
        """What the broker's API tells a user."""
        return self.call(user, "GET", path).json()

    def make(self, user: str) -> str:
        """A new cluster's name; it is not waited for."""
        made = self.call(user, "POST", "clusters/", json={"cluster_options": {}})
        return str(made.json()["name"])

    def status(self, user: str, name: str) -> str:
        """A cluster's; empty while the broker does not answer, or knows none."""
        with suppress(requests.RequestException, ValueError):
            return str(self.call(user, "GET", f"clusters/{name}").json().get("status", ""))
        return ""

    def stop_cluster(self, user: str, name: str) -> bool:
        """Ask for a cluster's end; whether the broker has heard."""
        with suppress(requests.RequestException):
            return self.call(user, "DELETE", f"clusters/{name}").status_code == 204
        return False

    def ended(self, user: str, name: str) -> bool:
        """Whether the broker says that all of a cluster has ended."""
        return self.status(user, name) in ("STOPPED", "FAILED")

    def broker(self) -> int | None:
        """The broker's process."""
        found = [
            each.pid
            for each in started_in(self.directory)
            if command(each)[1:] == ["-m", "greyhub.broker"]
        ]
        return int(found[0]) if found else None

    def running(self) -> list[str]:
        """The jobs that have processes."""
        return [name for name, pids in self.azure.jobs().items() if pids]

    def await_jobs(self, number: int, what: str) -> None:
        """Wait until so many jobs have processes."""
        until(lambda: len(self.running()) == number, 60, what)

    def await_status(self, user: str, name: str, status: str) -> None:
        """Wait until a cluster has a status."""
        until(lambda: self.status(user, name) == status, 60, f"the cluster is {status}")
