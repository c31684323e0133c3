"""The compute instance of a server: its options, its name, and what Azure ML is asked for."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, Enum, List, TraitError, Unicode, default, validate

from greyhub.azureml import names
from greyhub.azureml.settings import AzureML
from greyhub.azureml.workspace import Workspace, shared
from greyhub.option_kinds import IsoDuration
from greyhub.rendezvous.spawning import RemoteSpawner
from greyhub.spawners.failed import ServerRefused

SCRIPT_LIMIT = "15m"
"""For which the script may run that leaves the agent on the machine: it returns at once."""


class InstanceOptions(RemoteSpawner):
    """What an administrator, or a profile, says of the machines of servers."""

    access = Enum(
        ["direct", "tunnel", "redirect"],
        "direct",
        help="How a server is reached. ``direct``: the hub's proxy connects to its machine. "
        "``tunnel``: by a tunnel that its agent dials. ``redirect``: the user is sent on to the "
        "JupyterLab that Azure itself runs on the machine, with Azure's own login, where nothing "
        "else may run. Then there is neither an agent on the machine nor anything of greyhub: no "
        "home, no clusters, no data; and `idle_shutdown` alone ends what nobody uses.",
    ).tag(config=True)

    machine_size = Unicode(
        "Standard_DS11_v2",
        help="The size of the machine, as Azure calls it. A machine keeps its size: where another "
        "is asked for, it is deleted with its disk and made anew, if its last server had saved "
        "the home.",
    ).tag(config=True, example="Standard_E4ds_v4")

    name_prefix = Unicode(
        "jupyter", help="What names of instances begin with: a letter, then letters and digits."
    ).tag(config=True)

    at_stop = Enum(
        ["stop", "delete"],
        "stop",
        help="What a stopped server's machine becomes. ``stop``: it keeps its disk and its quota, "
        "costs the disk, and starts in a minute or two. ``delete``: it costs nothing, and the "
        "next server takes five minutes or more.",
    ).tag(config=True)

    replace_failed = Bool(
        False,
        help="Whether an instance that has failed is deleted, with its disk, and made anew at the "
        "next start. Otherwise the start is refused, and says why.",
    ).tag(config=True)

    idle_shutdown = IsoDuration(
        shortest=15 * 60,
        longest=3 * 86400,
        help="After how long without use Azure itself stops the machine, as an ISO 8601 duration "
        "of 15 minutes to 3 days. It watches its own Jupyter: greyhub's own culling is the better "
        "way, and this a safeguard.",
    ).tag(config=True, example="PT3H")

    schedules = List(
        Dict(),
        help="Times at which Azure starts or stops the machine: ``computeStartStop`` of its API.",
    ).tag(
        config=True,
        example=[
            {
                "action": "Stop",
                "status": "Enabled",
                "triggerType": "Cron",
                "cron": {"expression": "0 20 * * *", "timeZone": "UTC"},
            }
        ],
    )

    subnet = Unicode(help="The resource id of the subnet that machines are in.").tag(
        config=True,
        example="/subscriptions/…/providers/Microsoft.Network/virtualNetworks/hub/subnets/servers",
    )

    public_ip = Bool(
        False, help="Whether machines have public addresses; without one they need a subnet."
    ).tag(config=True)

    assign_to_user = Bool(
        False,
        help="Whether the instance is assigned to its user, as Azure ML calls it. The login must "
        "be by Entra ID, whose ``oid`` and ``tid`` the hub keeps.",
    ).tag(config=True)

    identities = List(
        Unicode(),
        help="Resource ids of managed identities that machines have. **Whoever uses the machine "
        "has their rights.**",
    ).tag(
        config=True,
        example=["/subscriptions/…/Microsoft.ManagedIdentity/userAssignedIdentities/readers"],
    )

    state_dir = Unicode(help="Where the hub's own mark is kept.").tag(
        config=True, example="/var/lib/greyhub/hub"
    )

    location = Unicode(help="The region; by default the workspace's.").tag(
        config=True, example="westeurope"
    )

    @default("start_timeout")
    def _five_minutes_are_usual(self) -> int:
        return 1200

    @default("agent_account")
    def _the_account_of_notebooks(self) -> str:
        return "azureuser"

    @default("http_timeout")
    def _the_agent_has_looked(self) -> int:
        return 60

    @validate("name_prefix")
    def _begins_a_name(self, proposal: Any) -> str:
        try:
            names.check_prefix(proposal["value"])
        except ValueError as error:
            raise TraitError(str(error)) from None
        return str(proposal["value"])

    @property
    def azure(self) -> Workspace:
        """The workspace, as all servers share it."""
        return shared(self.settings)

    @cached_property
    def settings(self) -> AzureML:
        """``c.AzureML``."""
        return AzureML(config=self.config)

    @cached_property
    def hub_id(self) -> str:
        """What tells this hub from others of the workspace."""
        return names.hub_id(Path(self.state_dir))

    @property
    def instance_tags(self) -> dict[str, str]:
        """The tags that tell whose the instance is."""
        return names.tags(self.hub_id, self.user.name, self.name)

    def new_name(self) -> str:
        """The name of a new instance: the same every time."""
        return names.instance_name(self.name_prefix, self.hub_id, self.user.name, self.name)

    @property
    def has_agent(self) -> bool:
        """Whether an agent runs greyhub's server on the machine; Azure's own there has none."""
        return bool(self.access != "redirect")

    async def instance_body(self, nonce: str) -> dict[str, Any]:
        """What Azure ML is asked for: nothing in it is secret but the nonce, which is used once."""
        machine: dict[str, Any] = {
            "vmSize": self.machine_size,
            "applicationSharingPolicy": "Personal",
            "sshSettings": {"sshPublicAccess": "Disabled"},
            "enableNodePublicIp": self.public_ip,
        }
        if self.has_agent:
            script = base64.b64encode(self.setup_script(nonce).encode()).decode()
            creation = {"scriptSource": "inline", "scriptData": script, "timeout": SCRIPT_LIMIT}
            machine["setupScripts"] = {"scripts": {"creationScript": creation}}
        if self.subnet:
            machine["subnet"] = {"id": self.subnet}
        if self.idle_shutdown:
            machine["idleTimeBeforeShutdown"] = self.idle_shutdown
        if self.schedules:
            machine["schedules"] = {"computeStartStop": list(self.schedules)}
        if self.assign_to_user:
            assigned = await self._assigned()
            machine["personalComputeInstanceSettings"] = {"assignedUser": assigned}
        body: dict[str, Any] = {
            "location": self.location or (await self.azure.itself())["location"],
            "tags": self.instance_tags,
            "properties": {"computeType": "ComputeInstance", "properties": machine},
        }
        if self.identities:
            body["identity"] = {
                "type": "UserAssigned",
                "userAssignedIdentities": {each: {} for each in self.identities},
            }
        return body

    async def _assigned(self) -> Mapping[str, str]:
        """Who the user is for Entra ID."""
        state = await self.user.get_auth_state() or {}
        claims = state.get("id_token_claims") or {}
        if not (claims.get("oid") and claims.get("tid")):
            raise ServerRefused(
                "The hub does not know who you are for Entra ID, to whom it would assign the "
                "machine.\n  fix: log in again; if that does not help, ask the hub's administrator "
                "for logins by Entra ID, or to set c.AzureMLSpawner.assign_to_user = False"
            )
        return {"objectId": claims["oid"], "tenantId": claims["tid"]}
