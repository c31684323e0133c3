"""A real hub whose servers are on instances of the simulated workspace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from greyhub.conformance.testkit.azureml import Simulator
from tests.support.hubs import Hub

SETTINGS = """
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


def settings_of(azure: Simulator) -> dict[str, Any]:
    """The options of ``c.AzureML`` for the simulated workspace; its application has a secret."""
    return {
        "subscription": azure.subscription,
        "resource_group": azure.resource_group,
        "workspace": azure.workspace,
        "cloud": {"resource_manager": azure.endpoint, "authority": azure.authority},
        "ca_bundle": str(azure.ca_bundle),
        "credential": "service-principal",
        "tenant_id": azure.tenant,
        "client_id": azure.client_id,
        "client_secret": azure.client_secret,
    }


def lines_of(azure: Simulator, **options: Any) -> str:
    """The lines of a config file for `settings_of`, and for more options."""
    known = settings_of(azure) | options
    return "".join(f"c.AzureML.{name} = {value!r}\n" for name, value in known.items())


def hub_on(azure: Simulator, directory: Path, config: str = "") -> Hub:
    """A hub, not started yet."""
    return Hub(directory, SETTINGS.format(python=sys.executable) + lines_of(azure) + config)
