"""From where the agent of a job may ask: everybody in the workspace can read its nonce."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from greyhub.azureml.agent_jobs import SHOWN
from greyhub.azureml.errors import AzureMLError
from greyhub.azureml.workspace import Workspace


async def node_addresses(workspace: Workspace, job: str) -> list[str]:
    """The addresses of the node that a job runs on; none where Azure ML tells none."""
    try:
        async with asyncio.timeout(SHOWN):
            while not (found := await workspace.nodes(job)):  # noqa: ASYNC110 (Azure tells no news)
                await asyncio.sleep(workspace.settings.poll_interval)
    except (AzureMLError, TimeoutError):
        return []
    names = ("privateIpAddress", "publicIpAddress")
    return [str(each[name]) for each in found for name in names if each.get(name)]


def is_from(remote: str, places: Sequence[str]) -> bool:
    """Whether a request came from one of some addresses and networks."""
    return any(ip_address(remote) in ip_network(each) for each in places)


def suspicion(job: str, remote: str, places: Sequence[str]) -> str:
    """Why an agent is not trusted."""
    return (
        f"the agent of the job {job} asked from {remote}, which is not in {', '.join(places)}: "
        "somebody else may have read its command\n"
        "  fix: where jobs reach this machine by another address than their nodes', say by which: "
        "networks=['10.1.0.0/16']"
    )
