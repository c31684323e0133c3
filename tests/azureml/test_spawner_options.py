"""Options of servers on compute instances, without a hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.cli.reading import read
from greyhub.spawners.azureml import AzureMLSpawnerAdapter

GOOD = """
import greyhub
c = get_config()
c.GreyHub.spawner = "azureml"
c.AzureML.subscription = c.AzureML.resource_group = c.AzureML.workspace = "mine"
c.AzureML.credential = "managed-identity"
c.GreyHub.homespace = c.GreyHub.cluster = None
c.GreyHub.auth = "null"
c.GreyHub.accepted_risks = ["nobody"]
c.JupyterHub.ip = "127.0.0.1"
c.JupyterHub.public_url = "https://hub.example.org/"
"""


def findings(directory: Path, more: str = "") -> str:
    file = directory / "greyhub_config.py"
    file.write_text(f"{GOOD}{more}\ngreyhub.compose(c)\n")
    return "\n".join(str(each) for each in read(str(file)).findings if each.level == "error")


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    assert findings(tmp_path) == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("c.JupyterHub.public_url = ''", "by which address the machines of servers reach this hub"),
        ("c.AzureML.workspace = ''", "c.AzureML.workspace"),
        ("c.AzureML.credential = None", "how the hub proves who it is was not chosen"),
        ("c.AzureMLSpawner.name_prefix = 'a-b'", "name_prefix"),
        ("c.AzureMLSpawner.server_networks = ['10.1']", "server_networks"),
        ("c.AzureMLSpawner.machine_sise = 'x'", "machine_size"),
        ("c.AzureMLSpawner.access = 'redirect'", "assign_to_user = True"),
        ("c.JupyterHub.internal_ssl = True", "before its server's machine has an address"),
    ],
)
def test_what_cannot_work_is_said_before_the_hub_starts(
    tmp_path: Path, line: str, said: str
) -> None:
    assert said in findings(tmp_path, line)


def test_a_profile_tells_what_its_machine_costs() -> None:
    adapter = AzureMLSpawnerAdapter(
        profiles=[
            {"name": "small", "machine": "A", "description": "For a start."},
            {"name": "large", "machine": "B"},
            {"name": "none"},
        ],
        prices={"A": "0.10 EUR", "B": "2 EUR"},
    )
    choice = adapter.profile_choice()
    assert choice is not None
    told = [each.description for each in choice.profiles]
    assert told == ["For a start. 0.10 EUR an hour", "2 EUR an hour", ""]
