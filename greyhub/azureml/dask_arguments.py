"""The arguments of `greyhub.azureml.AzureMLCluster`: which workspace, and what is gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from greyhub.errors import ClusterError

GONE: Final = {
    "additional_ports": "no SSH tunnel is made: this machine must reach the nodes",
    "admin_ssh_key": "no SSH tunnel is made: this machine must reach the nodes",
    "admin_username": "no SSH tunnel is made: this machine must reach the nodes",
    "code_store": "jobs mount nothing: read data by fsspec",
    "datastores": "jobs mount nothing: read data by fsspec, abfs://container@account…/path",
    "jupyter": "the notebook runs where this line does",
    "jupyter_port": "the notebook runs where this line does",
    "show_output": "get_logs() shows what the scheduler and the workers say",
    "subnet": "the network is the compute target's: name that",
    "telemetry_opt_out": "nothing is reported to anybody",
    "vnet": "the network is the compute target's: name that",
    "vnet_resource_group": "the network is the compute target's: name that",
}
"""Arguments of dask-cloudprovider's AzureMLCluster that make no sense any more."""


def where(workspace: Any) -> dict[str, str]:
    """The options of ``c.AzureML`` that say which workspace.

    Raises
    ------
    greyhub.errors.ClusterError
        The file is none of Azure ML's.
    """
    if not isinstance(workspace, str | Path):
        names = ("subscription_id", "resource_group", "name")
        found = [str(getattr(workspace, each, "")) for each in names]
    elif str(workspace).endswith(".json"):
        try:
            said = json.loads(Path(workspace).read_text())
            found = [said[each] for each in ("subscription_id", "resource_group", "workspace_name")]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ClusterError(
                f"{workspace} is no config.json of a workspace: {error!r}\n"
                "  fix: download it in Azure ML Studio, or give subscription, resource_group and "
                "the workspace's name"
            ) from None
    else:
        return {"workspace": str(workspace)} if workspace else {}
    return dict(zip(("subscription", "resource_group", "workspace"), found, strict=True))
