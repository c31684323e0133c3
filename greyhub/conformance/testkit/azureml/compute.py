"""One compute of the workspace, and how the API shows it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from greyhub.conformance.testkit.azureml.machine import Machine
from greyhub.conformance.testkit.azureml.state import Cloud, Document, now


@dataclass
class Compute:
    """An instance or a cluster; a cluster has neither a state nor a machine."""

    name: str
    body: Document
    folder: Path
    address: str
    creator: str
    provisioning: str = "Creating"
    state: str | None = None
    errors: list[Document] = field(default_factory=list)
    last: Document = field(default_factory=lambda: last_operation("create", "InProgress"))
    created: str = field(default_factory=now)
    modified: str = field(default_factory=now)
    machine: Machine | None = None
    task: asyncio.Task[None] | None = None

    @property
    def is_instance(self) -> bool:
        """Whether it is a compute instance."""
        return bool(self.body["properties"]["computeType"] == "ComputeInstance")

    @property
    def properties(self) -> Document:
        """The properties of its type, as they were sent."""
        return dict(self.body["properties"].get("properties") or {})

    @property
    def size(self) -> str:
        """The size of its machines."""
        return str(self.properties.get("vmSize") or "")


def last_operation(word: str, status: str) -> Document:
    """What an instance says of what was done with it last."""
    return {
        "operationName": word.title(),
        "operationTime": now(),
        "operationStatus": status,
        "operationTrigger": "User",
    }


def shown(cloud: Cloud, it: Compute) -> Document:
    """The whole compute as a GET shows it."""
    sent = it.body["properties"]
    inner = _instance(cloud, it) if it.is_instance else _cluster(it)
    identity = it.body.get("identity")
    if identity and "SystemAssigned" in identity["type"]:
        identity = identity | {"principalId": it.creator, "tenantId": cloud.tenant}
    return cloud.resource("computes", it.name) | {
        "location": it.body.get("location") or cloud.region,
        "tags": it.body.get("tags"),
        "identity": identity,
        "properties": {
            "computeType": sent["computeType"],
            "computeLocation": sent.get("computeLocation") or cloud.region,
            "provisioningState": it.provisioning,
            "description": sent.get("description"),
            "createdOn": it.created,
            "modifiedOn": it.modified,
            "resourceId": None,
            "provisioningErrors": it.errors or None,
            "isAttachedCompute": False,
            "disableLocalAuth": sent.get("disableLocalAuth") or False,
            "properties": it.properties | inner,
        },
    }


def _instance(cloud: Cloud, it: Compute) -> Document:
    """What Azure adds to an instance; much of it is not known while it is created."""
    ready = it.state is not None
    host = f"https://{it.name}.{cloud.region}.instances.azureml.ms"
    places = {"Jupyter": f"{host}/tree/", "Jupyter Lab": f"{host}/lab/"}
    applications = [{"displayName": name, "endpointUri": url} for name, url in places.items()]
    endpoints = {"publicIpAddress": None, "privateIpAddress": it.address}
    return {
        "state": it.state,
        "applications": applications if ready else None,
        "connectivityEndpoints": endpoints if ready else None,
        "createdBy": {"userId": it.creator, "userOrgId": cloud.tenant, "userName": None},
        "errors": it.errors,
        "lastOperation": it.last,
    }


def _cluster(it: Compute) -> Document:
    return {"allocationState": "Steady", "errors": it.errors or None}
