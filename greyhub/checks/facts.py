"""Named predicates over a configuration, for the rules and for `Adapter.needs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlparse

from greyhub.checks.platform import Platform
from greyhub.class_names import ON_HUB, made_from
from greyhub.public_address import is_loopback


@dataclass(frozen=True)
class Fact:
    """Something that is true of a platform, or not."""

    name: str
    means: str
    holds: Callable[[Platform], bool]
    fix: str
    """How to make it true."""


def holds(platform: Platform, name: str) -> bool:
    """Whether a fact is true; ``not x`` is true where ``x`` is not.

    An adapter may say that a fact is true with it: `greyhub.adapter.Adapter.offers`.
    """
    if name.startswith("not "):
        return not holds(platform, name.removeprefix("not "))
    if any(name in adapter.offers for adapter in platform.adapters.values()):
        return True
    return FACTS[name].holds(platform)


def _spawner(*names: str) -> Callable[[Platform], bool]:
    return lambda platform: made_from(platform.spawner, *names)


def _elsewhere(platform: Platform) -> bool:
    far = ("KubeSpawner", "DockerSpawner", "BatchSpawnerBase", "FargateSpawner", "YarnSpawner")
    if made_from(platform.spawner, "RemoteSpawner"):  # which may run nothing of greyhub there
        return bool(platform.value("AzureMLSpawner", "access") != "redirect")
    return made_from(platform.spawner, *far)


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


def _hub_reachable(platform: Platform) -> bool:
    """The hub's own address, where servers report to it, is not this machine's alone."""
    if made_from(platform.spawner, "RemoteSpawner"):
        return True  # whose agents have an address of their own: agent_hub_url
    section = platform.config.get("JupyterHub", {})
    if section.get("hub_connect_url") or section.get("hub_connect_ip"):
        url = str(section.get("hub_connect_url") or f"http://{section['hub_connect_ip']}")
        return not is_loopback(urlparse(url).hostname or "")
    if section.get("hub_bind_url"):
        return not is_loopback(urlparse(str(section["hub_bind_url"])).hostname or "")
    return not is_loopback(str(section.get("hub_ip", "127.0.0.1")).strip("[]"))


def _home_on_hub(platform: Platform) -> bool:
    home = platform.adapters.get("homespace")
    url = str(getattr(home, "url", ""))
    return made_from(type(home), "LocalHomespace") or url.startswith(("file:", "local:"))


def _home_shared(platform: Platform) -> bool:
    home = platform.adapters.get("homespace")
    return not made_from(type(home), "LocalHomespace") or bool(getattr(home, "root", ""))


def _home_in_memory(platform: Platform) -> bool:
    return str(getattr(platform.adapters.get("homespace"), "url", "")).startswith("memory:")


def _cluster_class(platform: Platform) -> Any:
    return getattr(platform.adapters.get("cluster"), "cluster_class", None)


def _gateway(platform: Platform) -> bool:
    return made_from(_cluster_class(platform), "GatewayCluster")


def gateway_address(platform: Platform) -> str:
    """The address that notebooks will use for a dask-gateway."""
    options = getattr(platform.adapters.get("cluster"), "options", None) or {}
    environment = platform.value("Spawner", "environment") or {}
    return str(options.get("address") or environment.get("DASK_GATEWAY__ADDRESS") or "")


def _gateway_reachable(platform: Platform) -> bool:
    host = urlparse(gateway_address(platform)).hostname or ""
    return not is_loopback(host) or not holds(platform, "servers-elsewhere")


def _cluster_in_server(platform: Platform) -> bool:
    adapter = platform.adapters.get("cluster")
    return made_from(type(adapter), "LocalCluster") or made_from(
        _cluster_class(platform), "LocalCluster"
    )


def _catalogs_on_hub(platform: Platform) -> bool:
    sources = getattr(platform.adapters.get("data"), "sources", None)
    try:
        return any("://" not in location for _, location in sources()) if sources else False
    except Exception:
        return False


def _auth_state(platform: Platform) -> bool:
    return bool(platform.value("Authenticator", "enable_auth_state"))


def _crypt_key(platform: Platform) -> bool:
    try:
        return bool(platform.value("CryptKeeper", "keys"))
    except ValueError:
        return False


def _set(option: str) -> Callable[[Platform], bool]:
    return lambda platform: bool(platform.config.get("JupyterHub", {}).get(option))


def _given(option: str) -> Callable[[Platform], bool]:
    return lambda platform: bool(platform.value("Spawner", option))


def _services(platform: Platform) -> Iterator[Mapping[str, Any]]:
    services = platform.value("JupyterHub", "services") or ()
    return (service for service in services if isinstance(service, Mapping))


def _cullers(platform: Platform) -> list[Mapping[str, Any]]:
    return [
        service
        for service in _services(platform)
        if "idle_culler" in str(service.get("command", "")).replace("-", "_")
        or "cull_idle" in str(service.get("command", ""))
    ]


def _culler_may_cull(platform: Platform) -> bool:
    roles = platform.value("JupyterHub", "load_roles") or ()
    admins = {"admin", "admin:servers", "delete:servers", "servers"}
    allowed = {
        name
        for role in roles
        for name in role.get("services", ())
        if role.get("name") == "admin"
        or any(str(scope).partition("!")[0] in admins for scope in role.get("scopes", ()))
    }
    return all(
        service.get("admin") or service.get("name") in allowed for service in _cullers(platform)
    )


FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
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
            "hub-reachable",
            "the hub's own address can be reached from other machines",
            _hub_reachable,
            'set c.JupyterHub.hub_ip = "0.0.0.0", and c.JupyterHub.hub_connect_ip to the name '
            "that servers know the hub by",
        ),
        Fact(
            "home-on-hub",
            "homes are directories of the hub's own machine",
            _home_on_hub,
            'set c.GreyHub.homespace = "local"',
        ),
        Fact(
            "home-shared",
            "the directory of the homes is named, as for one that servers elsewhere mount",
            _home_shared,
            'set c.GreyHub.homespace to a URL, such as "s3://homes/{username}"; or set '
            "c.LocalHomespace.root to a directory that the servers mount at the same path",
        ),
        Fact(
            "home-in-memory",
            "homes are kept in the memory of the server",
            _home_in_memory,
            'set c.GreyHub.homespace = "memory://{username}"',
        ),
        Fact(
            "cluster-of-a-gateway",
            "clusters come from a dask-gateway",
            _gateway,
            'set c.GreyHub.cluster = "dask_gateway.GatewayCluster"',
        ),
        Fact(
            "gateway-addressed",
            "notebooks are told the address of the dask-gateway",
            lambda platform: bool(gateway_address(platform)),
            'set c.ClusterAdapter.options = {"address": "http://…"}',
        ),
        Fact(
            "gateway-reachable",
            "the address of the dask-gateway can be reached from where servers run",
            _gateway_reachable,
            "give the gateway an address in c.ClusterAdapter.options that servers can reach",
        ),
        Fact(
            "cluster-in-server",
            "clusters run inside the user's own server",
            _cluster_in_server,
            'set c.GreyHub.cluster = "local"',
        ),
        Fact(
            "catalogs-on-hub",
            "catalogues are files of the hub's own machine",
            _catalogs_on_hub,
            "name a catalogue by its path",
        ),
        Fact(
            "auth-state",
            "what the identity provider says of a user, tokens included, is kept",
            _auth_state,
            "set c.Authenticator.enable_auth_state = True",
        ),
        Fact(
            "crypt-key",
            "there is a key to keep auth state with",
            _crypt_key,
            "put 32 bytes in hex into the variable JUPYTERHUB_CRYPT_KEY where the hub runs "
            "(openssl rand -hex 32), or set c.CryptKeeper.keys",
        ),
        Fact(
            "ssl-cert",
            "the hub has a TLS certificate",
            _set("ssl_cert"),
            "set c.JupyterHub.ssl_cert",
        ),
        Fact("ssl-key", "the hub has a TLS key", _set("ssl_key"), "set c.JupyterHub.ssl_key"),
        Fact(
            "internal-ssl",
            "the hub, its proxy and the servers speak TLS to each other",
            _set("internal_ssl"),
            "set c.JupyterHub.internal_ssl = True",
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
        Fact(
            "culler",
            "a service culls idle servers",
            lambda platform: bool(_cullers(platform)),
            "add jupyterhub-idle-culler to c.JupyterHub.services",
        ),
        Fact(
            "culler-may-cull",
            "the culler has the scopes that it needs",
            _culler_may_cull,
            "give it a role: c.JupyterHub.load_roles = [{'name': 'culler', 'services': "
            "['the culler'], 'scopes': ['list:users', 'read:users:activity', 'read:servers', "
            "'delete:servers']}]",
        ),
    )
}
