"""What may be true of servers: where they run, and with which rights and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from greyhub.checks.facts.fact import Fact, offered
from greyhub.checks.platform import Platform
from greyhub.class_names import ON_HUB, made_from


def _spawner(*names: str) -> Callable[[Platform], bool]:
    return lambda platform: made_from(platform.spawner, *names)


def _elsewhere(platform: Platform) -> bool:
    far = ("KubeSpawner", "DockerSpawner", "BatchSpawnerBase", "FargateSpawner", "YarnSpawner")
    if made_from(platform.spawner, "RemoteSpawner"):  # which may run nothing of greyhub there
        return bool(platform.value("AzureMLSpawner", "access") != "redirect")
    return made_from(platform.spawner, *far)


def servers_elsewhere(platform: Platform) -> bool:
    """Whether the hub's loopback address and files cannot be reached where servers run."""
    return offered(platform, "servers-elsewhere") or _elsewhere(platform)


def _privileged(platform: Platform) -> bool:
    spawner = platform.spawner
    if made_from(spawner, "LocalProcessSpawner"):
        return True
    if platform.value("KubeSpawner", "privileged"):
        return True
    capabilities = platform.value("KubeSpawner", "container_security_context") or {}
    added = capabilities.get("capabilities", {}).get("add", ()) if capabilities else ()
    host = platform.value("DockerSpawner", "extra_host_config") or {}
    return "SYS_ADMIN" in added or bool(isinstance(host, Mapping) and host.get("privileged"))


def _given(option: str) -> Callable[[Platform], bool]:
    return lambda platform: bool(platform.value("Spawner", option))


SERVERS: tuple[Fact, ...] = (
    Fact(
        "servers-on-hub",
        "servers are processes of the hub's own machine",
        _spawner(*ON_HUB),
        'set c.GreyHub.spawner = "local"',
    ),
    Fact(
        "servers-are-pods",
        "servers are pods of a Kubernetes cluster",
        _spawner("KubeSpawner"),
        'set c.GreyHub.spawner = "kubernetes"',
    ),
    Fact(
        "servers-elsewhere",
        "servers run where the hub's loopback address and files cannot be reached",
        _elsewhere,
        "choose a spawner whose servers run in containers or on other machines",
    ),
    Fact(
        "servers-privileged",
        "servers may mount filesystems (FUSE): privileged, or with SYS_ADMIN",
        _privileged,
        "set c.KubeSpawner.privileged = True, or choose a home that needs no mount",
    ),
    Fact(
        "memory-limited",
        "servers are given a limit of memory",
        _given("mem_limit"),
        "set c.Spawner.mem_limit",
    ),
    Fact(
        "processor-limited",
        "servers are given a limit of processors",
        _given("cpu_limit"),
        "set c.Spawner.cpu_limit",
    ),
    Fact(
        "plain-processes",
        "servers are plain processes, without limits or TLS of their own",
        _spawner("LocalSpawner"),
        'set c.GreyHub.spawner = "local"',
    ),
    Fact(
        "instances",
        "servers are on compute instances of Azure ML",
        _spawner("AzureMLSpawner"),
        'set c.GreyHub.spawner = "azureml"',
    ),
)
