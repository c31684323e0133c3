"""A real hub whose servers are on instances of the simulated workspace."""

from __future__ import annotations

import sys
from pathlib import Path

from greyhub.conformance.testkit.azureml import Simulator
from tests.support.hubs import Hub

SETTINGS = """
c.AzureML.subscription = {azure.subscription!r}
c.AzureML.resource_group = {azure.resource_group!r}
c.AzureML.workspace = {azure.workspace!r}
c.AzureML.cloud = {{"resource_manager": {azure.endpoint!r}, "authority": {azure.authority!r}}}
c.AzureML.ca_bundle = {ca!r}
c.AzureML.credential = "service-principal"
c.AzureML.tenant_id = {azure.tenant!r}
c.AzureML.client_id = {azure.client_id!r}
c.AzureML.client_secret = {azure.client_secret!r}
c.AzureML.poll_interval = 0.2
c.GreyHub.spawner = "azureml"
c.GreyHub.cluster = c.GreyHub.homespace = c.GreyHub.data = None
c.AzureMLSpawner.agent_hub_url = f"http://127.0.0.1:{{c.JupyterHub.port}}/hub/"
c.AzureMLSpawner.agent_account = ""  # the simulated machine has no others
c.AzureMLSpawner.agent_python = {python!r}
c.AzureMLSpawner.server_networks = ["127.0.0.0/8"]
c.Spawner.cmd = [{python!r}, "-m", "greyhub.singleuser", "--allow-root"]
c.Spawner.poll_interval = 1
"""


def hub_on(azure: Simulator, directory: Path, config: str = "") -> Hub:
    """A hub, not started yet."""
    own = SETTINGS.format(azure=azure, ca=str(azure.ca_bundle), python=sys.executable)
    return Hub(directory, own + config)
