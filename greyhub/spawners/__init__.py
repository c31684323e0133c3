"""The spawner slot: any `jupyterhub.spawner.Spawner`.

The slot's base adapts every Spawner class as it is: by class, by import string
or by its name in JupyterHub's own entry points. Subclass it only where the
hub must be told more than the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets import Any as AnyTrait
from traitlets import Dict, Enum, List, Unicode

from greyhub.adapter import Adapter, Contribution
from greyhub.hub_tasks import run_in_hub
from greyhub.imports import points
from greyhub.spawners.profile_choice import ProfileChoice
from greyhub.spawners.profile_options import (
    accepted_keys,
    command_elsewhere,
    command_here,
    spawner_options,
)
from greyhub.spawners.profile_reading import read_profiles
from greyhub.spawners.profiles import Profile
from greyhub.starts.report import StartReport


class SpawnerAdapter(Adapter):
    """Fills the slot with a JupyterHub Spawner class."""

    slot = "spawner"

    orphans = Enum(
        ["end", "keep"],
        "end",
        help="What becomes of servers of this hub that it does not know, when it has started: "
        "JupyterHub forgets a server that it could not stop, and all of them with a lost "
        "database. ``keep``: they run on. Homes stay in either case.",
    ).tag(config=True)

    spawner_class = AnyTrait(help="The Spawner class; its options are set on its own section.")

    profiles = List(
        Dict(),
        help="What users choose between when they start a server; without it, there is nothing to "
        "choose. Each is a mapping with a ``name``, and, as they are needed: ``title`` and "
        "``description``, for people; ``groups``, JupyterHub's, whose members may take it, and "
        "without which everybody may; ``default``, true for one; ``cores``, ``memory`` as in "
        "``8 GiB``, ``gpus``; ``environment``, the prefix of a Python environment where the server "
        "runs; ``image``, a container image; ``machine``, the size of a virtual machine; "
        "``node_selector`` and ``tolerations``, as in KubeSpawner. What the Spawner cannot "
        "give a server is refused.",
    ).tag(
        config=True,
        example=[
            {"name": "small", "cores": 2, "memory": "8 GiB", "default": True},
            {"name": "gpu", "memory": "32 GiB", "gpus": 1, "groups": ["gpu-users"]},
        ],
    )

    gpu_resource = Unicode(
        "nvidia.com/gpu", help="What Kubernetes calls the GPUs that a profile asks for."
    ).tag(config=True, example="amd.com/gpu")

    @classmethod
    def opens(cls, value: object) -> Mapping[str, Any] | None:
        """A Spawner class, or its name among the ``jupyterhub.spawners``."""
        from jupyterhub.spawner import Spawner

        if isinstance(value, str):
            installed = points("jupyterhub.spawners").select(name=value)
            return {"spawner_class": next(iter(installed)).load()} if installed else None
        if isinstance(value, type) and issubclass(value, Spawner):
            return {"spawner_class": value}
        return None

    def load_class(self) -> type:
        """The Spawner class that the hub will use."""
        chosen: type = self.spawner_class
        return chosen

    def contribute(self) -> Contribution:
        """The Spawner class; servers outlive the hub."""
        return Contribution(
            config={"JupyterHub": {"spawner_class": self.load_class(), "cleanup_servers": False}}
        )

    def hub_starts(self, app: Any) -> None:
        """The hub starts: end, as `orphans` says, what it does not know once it has started."""
        from greyhub.spawners.orphans import end_orphans

        if self.orphans == "end":
            run_in_hub(end_orphans(app))

    async def ticket(self, spawner: Any) -> Mapping[str, Any]:
        """Who the server belongs to."""
        return {"user": spawner.user.name, "server": spawner.name}

    def label(self) -> str:
        """The name of the Spawner class."""
        return self.load_class().__name__

    def profile_choice(self) -> ProfileChoice | None:
        """What users choose between, if there are profiles."""
        profiles, _ = read_profiles(self.profiles)
        return ProfileChoice(profiles, self.profile_options) if profiles else None

    def profile_keys(self) -> Mapping[str, str]:
        """The keys of a profile that servers can be given; another is refused as the hub starts.

        Each comes with a caveat, of which the hub warns, such as "nothing enforces it";
        ``""`` is none. By default, what the Spawner class has options for.
        """
        return accepted_keys(self.load_class())

    def profile_options(self, profile: Profile, spawner: Any) -> Mapping[str, Any]:
        """The options of a Spawner under a profile, by name, each as it will be.

        Asked before each start; nothing is to be set here. When the server has
        stopped, the Spawner is given back what it had.
        """
        return spawner_options(profile, spawner, self._command, self.gpu_resource)

    def start_report(self, spawner: Any) -> StartReport:
        """What is known of a start of a server that has just ended, well or not.

        By default, what the Spawner's own attribute ``start_report`` is, or else its ``image``.
        """
        told = getattr(spawner, "start_report", None)
        if isinstance(told, StartReport):
            return told
        return StartReport(image=str(getattr(spawner, "image", "") or ""))

    def _command(self, prefix: str) -> str:
        here = self.parent.servers_here
        return command_here(self.resolve(prefix)) if here else command_elsewhere(prefix)
