"""What can be asked before anything is made: the workspace, rights, usage, quotas, sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greyhub.conformance.testkit.azureml.arm import Answer, Call, Route
from greyhub.conformance.testkit.azureml.computes import Computes
from greyhub.conformance.testkit.azureml.rights import Rights
from greyhub.conformance.testkit.azureml.state import PROVIDER, Cloud

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_WORKSPACE = f"{_GROUP}/providers/{PROVIDER}/workspaces/{{workspace}}"
_LOCATION = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"
_READ = f"{PROVIDER}/workspaces/read"


class Subscription:
    """The workspace and what surrounds it."""

    def __init__(self, cloud: Cloud, computes: Computes, rights: Rights) -> None:
        self.cloud, self.computes, self.rights = cloud, computes, rights

    def routes(self) -> list[Route]:
        """The operations."""
        lists = [
            ("usages", self.usages, "UsageList"),
            ("quotas", self.quotas, "QuotaList"),
            ("vmSizes", self.sizes, "VirtualMachineSizeList"),
        ]
        return [
            Route("GET", _WORKSPACE, _READ, self.workspace, answered="Workspace"),
            *(self._permissions_of(scope) for scope in (_GROUP, _WORKSPACE)),
            *(self._list(*each) for each in lists),
        ]

    def _permissions_of(self, scope: str) -> Route:
        path = f"{scope}/providers/Microsoft.Authorization/permissions"
        return Route("GET", path, "", self.permissions, answered="PermissionList", any_version=True)

    def _list(self, name: str, handler: Callable[[Call], Answer], kind: str) -> Route:
        right = f"{PROVIDER}/locations/{name}/read"
        return Route("GET", f"{_LOCATION}/{name}", right, handler, answered=kind)

    def workspace(self, call: Call) -> Answer:
        """The workspace itself."""
        self.cloud.demand(call.names)
        properties = {
            "provisioningState": "Succeeded",
            "friendlyName": self.cloud.workspace,
            "description": "",
            "workspaceId": self.cloud.workspace_id,
            "tenantId": self.cloud.tenant,
            "publicNetworkAccess": "Enabled",
            "discoveryUrl": f"{self.cloud.endpoint}/discovery",
        }
        body = {
            "id": self.cloud.id,
            "name": self.cloud.workspace,
            "type": f"{PROVIDER}/workspaces",
            "location": self.cloud.region,
            "kind": "Default",
            "tags": {},
            "sku": {"name": "Basic", "tier": "Basic"},
            "properties": properties,
        }
        return Answer(body=body)

    def permissions(self, call: Call) -> Answer:
        """What the caller may do here."""
        self.cloud.demand(call.names)
        return Answer(body={"value": [role.body() for role in self.rights.roles]})

    def usages(self, call: Call) -> Answer:
        """VCPUs that are used, by family, and the limit of each."""
        self.cloud.demand(call.names)
        return Answer(body={"value": [self._usage(family) for family in self._families()]})

    def quotas(self, call: Call) -> Answer:
        """The limits alone."""
        self.cloud.demand(call.names)
        found = [self._usage(family) for family in self._families()]
        return Answer(body={"value": [_without(each, "currentValue") for each in found]})

    def sizes(self, call: Call) -> Answer:
        """The sizes of virtual machines that the region has."""
        self.cloud.demand(call.names)
        found = [
            {
                "name": name,
                "family": size.family,
                "vCPUs": size.cpus,
                "gpus": size.gpus,
                "memoryGB": size.memory_gb,
                "lowPriorityCapable": True,
                "premiumIO": True,
                "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
            }
            for name, size in self.cloud.sizes.items()
        ]
        return Answer(body={"value": found})

    def _families(self) -> list[str]:
        return sorted({size.family for size in self.cloud.sizes.values()})

    def _usage(self, family: str) -> dict[str, Any]:
        place = f"/subscriptions/{self.cloud.subscription}/providers/{PROVIDER}"
        place += f"/locations/{self.cloud.region}"
        return {
            "id": f"{place}/dedicatedCores/{family}",
            "type": f"{PROVIDER}/vmFamily/dedicatedCores/usages",
            "unit": "Count",
            "currentValue": self.computes.used(family),
            "limit": self.cloud.quota.get(family, 100),
            "name": {"value": family, "localizedValue": family},
            "amlWorkspaceLocation": self.cloud.region,
        }


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}
