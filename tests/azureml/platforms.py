"""Platforms each of whose slots is local or Azure ML's, on a simulated workspace and Azurite."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import iris_sample_data
import nbformat
import pytest
import requests
from playwright.sync_api import Page

from greyhub.conformance.testkit.azureml import Simulator
from greyhub.conformance.testkit.certificates import ADDRESS
from greyhub.conformance.testkit.provider import EntraProvider, Person
from greyhub.conformance.testkit.provider.endpoints import WHO
from greyhub.conformance.testkit.provider.entra_accounts import OWN
from greyhub.conformance.testkit.provider.person import DOMAIN
from tests.azureml.hubs import lines_of
from tests.data.azureml.workspace import STORE
from tests.homespace.azureml.account import Account, account_in, token
from tests.homespace.filesystem.conftest import ACCOUNT
from tests.support.browser import MINUTE, run_notebook
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import until

SLOTS = ("spawner", "cluster", "auth", "homespace", "data")
MIXES = [dict(zip(SLOTS, each, strict=True)) for each in product(("azureml", "local"), repeat=5)]
STORAGE = "https://storage.azure.com"
SAMPLE = Path(__file__).parents[2] / "config/local"
TUTORIAL = next((SAMPLE / "welcome").glob("*.ipynb"))
RESULT = "Warming of North America.csv"
DATASETS = {"north-america-a1b": "A1B_north_america.nc", "north-america-e1": "E1_north_america.nc"}

COMMON = """
import greyhub
c.JupyterHub.ip = "127.0.0.1"
"""

LINES = {
    ("spawner", "local"): 'c.GreyHub.spawner = "local"',
    ("spawner", "azureml"): """
c.GreyHub.spawner = "azureml"
c.AzureMLSpawner.agent_hub_url = f"http://127.0.0.1:{c.JupyterHub.port}/hub/"
c.AzureMLSpawner.agent_account = ""  # the simulated machine has no others
c.AzureMLSpawner.agent_python = PYTHON
c.AzureMLSpawner.server_networks = ["127.0.0.0/8"]
c.Spawner.cmd = [PYTHON, "-m", "greyhub.singleuser", "--allow-root"]
""",
    ("cluster", "local"): 'c.GreyHub.cluster = "local"',
    ("cluster", "azureml"): """
c.GreyHub.cluster = "azureml"
c.AzureMLCluster.port, c.AzureMLCluster.api_port, c.AzureMLCluster.dashboard_port = PORTS
c.AzureMLCluster.job_environment = "dask"
c.AzureMLCluster.instance_type = "Standard_DS3_v2"
c.AzureMLCluster.job_python = PYTHON
c.AzureMLCluster.jobs_hub_url = f"http://127.0.0.1:{c.JupyterHub.port}/"
c.AzureMLCluster.networks = ["0.0.0.0/0"]
c.AzureMLCluster.worker_memory = "1 GiB"
""",
    ("auth", "local"): 'c.GreyHub.auth = "local"',
    ("auth", "azureml"): """
c.GreyHub.auth = "entra"
c.EntraAuthenticator.allow_all = True
c.AuthAdapter.audiences = {"storage": {"scope": STORAGE + "/user_impersonation"}}
for name, value in ENTRA.items():
    setattr(c.EntraAuthenticator, name, value)
""",
    ("homespace", "local"): """
c.GreyHub.homespace = "local"
c.LocalHomespace.root = "homes"  # which the simulated machines have at the same path
""",
    ("homespace", "azureml"): """
c.GreyHub.homespace = "azureml"
c.AzureMLHomespace.account_url = ACCOUNT_URL
c.AzureMLHomespace.ca_bundle = ACCOUNT_CA
""",
    ("data", "local"): """
c.GreyHub.data = "local"
c.LocalData.catalogs = [CATALOG]
c.LocalData.parameters = {"IRIS": IRIS}
""",
    ("data", "azureml"): """
c.GreyHub.data = "azureml"
c.AzureMLData.assets = ["north-america-*"]
c.AzureMLData.account_urls = {ACCOUNT: ACCOUNT_URL}
c.AzureMLData.ca_bundle = ACCOUNT_CA
""",
}


class Azure:
    """A simulated workspace with two data assets, a storage account, and a provider of logins."""

    def __init__(self, workspace: Simulator, account: Account, provider: EntraProvider) -> None:
        self.workspace, self.account, self.provider = workspace, account, provider
        self.ada = provider.enrol(Person("ada"))
        provider.audiences = {STORAGE}
        provider.mint = lambda person, audience: token(3600, name=person.name)
        workspace.add_environment("dask", "1")
        about = {"accountName": ACCOUNT, "containerName": "homes", "datastoreType": "AzureBlob"}
        workspace.add_datastore(STORE, credentials={"credentialsType": "None"}, **about)
        for name, file in DATASETS.items():
            account.oracle.write(f"lake/{file}", Path(iris_sample_data.path, file).read_bytes())
            uri = f"azureml://datastores/{STORE}/paths/lake/{file}"
            workspace.add_data(name, "1", dataType="uri_file", dataUri=uri)

    def config(
        self, mix: Mapping[str, str], others: Mapping[tuple[str, str], str] | None = None
    ) -> str:
        """The lines of a mix, with the `LINES` of other adapters."""
        names = self.provider.names
        known: dict[str, Any] = {
            "PYTHON": sys.executable,
            "PORTS": [free_port() for _ in range(3)],
            "STORAGE": STORAGE,
            "ACCOUNT": ACCOUNT,
            "ACCOUNT_URL": self.account.url,
            "ACCOUNT_CA": str(self.account.authority.ca),
            "CATALOG": str(SAMPLE / "catalog.yaml"),
            "IRIS": iris_sample_data.path,
            "ENTRA": {
                "tenant": OWN,
                "cloud": {"authority": names["authority"], "graph": names["graph"]},
                "client_id": names["client_id"],
                "client_secret": names["client_secret"],
                "username_domain": DOMAIN,
            },
        }
        told = "".join(f"{name} = {value!r}\n" for name, value in known.items())
        if "azureml" in (mix["spawner"], mix["cluster"], mix["data"]):
            told += lines_of(self.workspace, poll_interval=0.2)
        lines = {**LINES, **(others or {})}
        return told + COMMON + "\n".join(lines[slot, mix[slot]] for slot in SLOTS)

    def forget_result(self) -> None:
        """Remove what the notebook has written in an earlier mix, if it is there."""
        name = f"ada/{RESULT}"
        if self.account.oracle.read(name) is not None:
            self.account.oracle.delete(name)

    def saved(self, hub: Hub, mix: Mapping[str, str], name: str = RESULT) -> bool:
        """Whether a file is where homes are kept."""
        if mix["homespace"] == "azureml":
            return self.account.oracle.read(f"ada/{name}") is not None
        return (hub.directory / "homes/ada" / name).exists()


@contextmanager
def shared_directory() -> Iterator[Path]:
    """A directory that the simulated machines see, too: their /tmp is their own."""
    with TemporaryDirectory(prefix="greyhub-test-", dir="/var/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@contextmanager
def all_of_azure(storage: str = ADDRESS) -> Iterator[Azure]:
    """The workspace, the account, at an address of this machine's, and the provider."""
    with ExitStack() as ends:
        directory = ends.enter_context(shared_directory())
        account = ends.enter_context(account_in(directory, storage))
        provider = EntraProvider()
        ends.callback(provider.close)
        yield Azure(ends.enter_context(Simulator()), account, provider)


@pytest.fixture
def place() -> Iterator[Path]:
    """For a hub and its state."""
    with shared_directory() as path:
        yield path


def open_lab(page: Page, hub: Hub, azure: Azure, mix: Mapping[str, str]) -> None:
    """Log in, and start the server."""
    if mix["auth"] == "azureml":
        page.set_extra_http_headers({WHO: azure.ada.subject})
        page.goto(f"{hub.url}hub/oauth_login")
    else:
        page.goto(hub.url)
        page.fill("#username_input", "ada")
        page.fill("#password_input", hub.password)
        page.click("#login_submit")
    page.wait_for_selector("#platform")
    page.click("#start")
    page.wait_for_url("**/lab**", timeout=2 * MINUTE)
    page.wait_for_selector(".jp-DirListing-content", timeout=2 * MINUTE)


def put_tutorial(hub: Hub) -> None:
    """The notebook as it is, into the home, by the server's API."""
    answer = requests.put(
        f"{hub.url}user/ada/api/contents/first.ipynb",
        headers={"Authorization": f"token {hub.token}"},
        json={"type": "notebook", "format": "json", "content": nbformat.read(TUTORIAL, 4)},
        timeout=60,
    )
    answer.raise_for_status()


def run_tutorial(page: Page, hub: Hub) -> None:
    """Open it and run all of its cells; returns while they run."""
    run_notebook(page, f"{hub.url}user/ada/lab/tree/first.ipynb?reset={secrets.token_hex(2)}")


def await_result(azure: Azure, hub: Hub, mix: Mapping[str, str]) -> None:
    """Wait until what the notebook has written is kept."""
    until(lambda: azure.saved(hub, mix), 120, "the results in the home")
