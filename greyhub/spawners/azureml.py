"""A compute instance of Azure ML per user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from traitlets import Dict, Integer, Unicode

from greyhub.adapter import Contribution, Finding
from greyhub.errors import ConfigError
from greyhub.public_address import public_base
from greyhub.spawners import SpawnerAdapter
from greyhub.spawners.profile_choice import ProfileChoice
from greyhub.spawners.profiles import Profile

if TYPE_CHECKING:
    from greyhub.rendezvous.tunnel.control import Tunnels


class AzureMLSpawnerAdapter(SpawnerAdapter):
    """A notebook server per user, on a compute instance of its own."""

    modules = ("azure.mgmt.core", "azure.identity", "aiohttp", "cryptography")
    extra = "greyhub[azureml]"
    reads = ("greyhub.azureml.settings.AzureML",)

    tunnel_port = Integer(
        8479,
        help="The port of the hub's machine, on loopback, at which the process of the tunnels "
        'listens, where ``c.AzureMLSpawner.access = "tunnel"``.',
    ).tag(config=True)

    prices = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="What an hour of a machine costs, by its size, as users shall read it: it is shown "
        "with each profile.",
    ).tag(config=True, example={"Standard_DS11_v2": "0.20 EUR"})

    @classmethod
    def opens(cls, value: object) -> None:
        """Nothing: a Spawner class is the base class's."""
        return None

    def load_class(self) -> type:
        """The Spawner of compute instances."""
        from greyhub.spawners.azureml_spawner import AzureMLSpawner

        return AzureMLSpawner

    def contribute(self) -> Contribution:
        """The Spawner; how machines reach the hub is the administrator's to say."""
        from greyhub.azureml.settings import AzureML

        AzureML(config=self.parent.config).check()
        own = self.parent.config.get("AzureMLSpawner", {})
        if own.get("access") == "redirect" and not own.get("assign_to_user"):
            raise ConfigError(
                "Azure's own JupyterLab lets in only whom the instance is assigned to, and that "
                "would be the hub",
                where="c.AzureMLSpawner.access",
                fix='set c.AzureMLSpawner.assign_to_user = True, with c.GreyHub.auth = "entra"',
            )
        address = str(own.get("agent_hub_url") or self._hub_url())
        reached = {"agent_hub_url": address, "hub_connect_url": urljoin(address, "/")}
        tunnels = self._tunnels()
        return Contribution(
            services=[tunnels.service()] if tunnels else [],
            config={
                "JupyterHub": {"spawner_class": self.load_class(), "cleanup_servers": False},
                "AzureMLSpawner": {"state_dir": str(self.parent.private), **reached},
            },
        )

    def _tunnels(self) -> Tunnels | None:
        """The process of the tunnels, where servers are reached by them."""
        from greyhub.rendezvous.tunnel.control import Tunnels

        if self.parent.config.get("AzureMLSpawner", {}).get("access") != "tunnel":
            return None
        return Tunnels(self.parent.private, self.tunnel_port)

    def _hub_url(self) -> str:
        """The hub's address for machines, by its public one."""
        public = public_base(self.parent.config)
        if not public:
            raise ConfigError(
                "it is not said by which address the machines of servers reach this hub",
                where="c.JupyterHub.public_url",
                fix="set it, such as https://hub.example.org/; or, where they take another way, "
                "c.AzureMLSpawner.agent_hub_url, such as https://hub.internal/hub/",
            )
        return f"{public}/hub/"

    def hub_starts(self, app: Any) -> None:
        """Serve the agents' rendezvous, and look for instances that nobody knows."""
        from greyhub.rendezvous.handlers import attach

        attach(app, self._tunnels())
        super().hub_starts(app)

    async def check(self) -> Sequence[Finding]:
        """Is the workspace there, may the hub do in it what it must, and has it room?"""
        from greyhub.azureml.live_check import INSTANCES, workspace
        from greyhub.azureml.settings import AzureML

        settings = AzureML(config=self.parent.config)
        sizes = {str(each["machine"]) for each in self.profiles if each.get("machine")}
        own = self.parent.config.get("AzureMLSpawner", {}).get("machine_size")
        option = "c.SpawnerAdapter.profiles" if sizes else "c.AzureMLSpawner.machine_size"
        sizes |= {str(own or self.load_class().machine_size.default_value)}  # type: ignore[attr-defined]
        return await workspace(settings, INSTANCES, "make and end instances", sizes, option)

    def profile_choice(self) -> ProfileChoice | None:
        """What users choose between, with what it costs."""
        found = super().profile_choice()
        if found is None:
            return None
        return ProfileChoice([self._priced(each) for each in found.profiles], self.profile_options)

    def _priced(self, profile: Profile) -> Profile:
        price = self.prices.get(profile.machine)
        if not price:
            return profile
        said = filter(None, [profile.description.rstrip("."), f"{price} an hour"])
        return replace(profile, description=". ".join(said))

    def label(self) -> str:
        """What a server is."""
        return "a compute instance of Azure ML per user"
