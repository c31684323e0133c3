"""What a Spawner class can be given by a profile, and how: as options that it has already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from greyhub.class_names import made_from
from greyhub.spawners.failed import ServerFailed
from greyhub.spawners.profiles import Profile

OPTIONS: Final = {
    "image": "image",
    "machine": "machine_size",
    "gpus": "extra_resource_limits",
    "node_selector": "node_selector",
    "tolerations": "tolerations",
}
"""Keys that a Spawner takes if it has this option, as DockerSpawner and KubeSpawner do."""

LIMITS: Final = {"cores": "cpu_limit", "memory": "mem_limit"}
"""Keys for which JupyterHub's base class has an option, which most Spawners ignore."""

ENFORCING: Final = ("KubeSpawner", "DockerSpawner", "SystemdSpawner")
"""Spawners that are known to enforce limits. So does, it is taken, whoever declares the option."""

COMMANDS: Final = ("greyhub-singleuser", "jupyterhub-singleuser")
"""What starts a server in an environment: the first of these that is there."""


def accepted_keys(cls: type) -> dict[str, str]:
    """The keys that servers of a Spawner class can be given, each with a caveat; ``""`` is none."""
    if made_from(cls, "WrapSpawner"):  # what is set on it does not reach the Spawner inside
        return {}
    traits = cls.class_traits()  # type: ignore[attr-defined]
    found = {key: _caveat(cls, traits[option]) for key, option in LIMITS.items()}
    if not made_from(cls, "SudoSpawner"):  # which starts what stands beside its own script
        found["environment"] = ""
    return found | {key: "" for key, option in OPTIONS.items() if option in traits}


def _caveat(cls: type, limit: Any) -> str:
    if made_from(cls, *ENFORCING) or limit.this_class.__module__ != "jupyterhub.spawner":
        return ""
    if made_from(cls, "LocalProcessSpawner", "SudoSpawner"):
        return "a process of the hub's own machine can take more: nothing enforces it"
    return f"it is not known whether {cls.__name__} enforces it"


def spawner_options(
    profile: Profile, spawner: Any, command: Callable[[str], str], gpu_resource: str
) -> dict[str, Any]:
    """The options of a Spawner under a profile: what it has already, and the profile's above it.

    Parameters
    ----------
    profile : Profile
        With nothing that the Spawner's class does not take.
    spawner : jupyterhub.spawner.Spawner
        As it is without a profile.
    command : callable
        From the prefix of an environment to the command of a server in it.
    gpu_resource : str
        What Kubernetes calls a GPU.
    """
    keys = accepted_keys(type(spawner))
    found: dict[str, Any] = {}
    for key, kind in (("cores", "cpu"), ("memory", "mem")):
        if (value := getattr(profile, key)) is not None:
            found[f"{kind}_limit"] = value
            if not keys[key]:  # what is enforced is also kept free
                found[f"{kind}_guarantee"] = value
    if profile.gpus:
        found["extra_resource_limits"] = {
            **spawner.extra_resource_limits,
            gpu_resource: str(profile.gpus),
        }
    if profile.environment:
        found["cmd"] = [command(profile.environment)]
    if profile.image:
        found["image"] = profile.image
    if profile.machine:
        found["machine_size"] = profile.machine
    if profile.node_selector:
        found["node_selector"] = {**spawner.node_selector, **profile.node_selector}
    if profile.tolerations:
        own = spawner.tolerations
        own = [own[key] for key in sorted(own)] if isinstance(own, Mapping) else own
        found["tolerations"] = [*own, *map(dict, profile.tolerations)]
    return found


def command_here(prefix: Path) -> str:
    """What starts a server in an environment of this machine.

    Raises
    ------
    ServerFailed
        There is no such environment, or it holds neither greyhub nor JupyterHub.
    """
    for name in COMMANDS:
        if (found := prefix / "bin" / name).is_file():
            return str(found)
    raise ServerFailed(f"The environment {prefix} has no {' and no '.join(COMMANDS)}.")


def command_elsewhere(prefix: str) -> str:
    """What starts a server in an environment of another machine, or of a container."""
    return f"{prefix.rstrip('/')}/bin/{COMMANDS[0]}"
