"""What may be true of the hub itself: its address, what it keeps, TLS, its services."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlparse

from greyhub.checks.facts.fact import Fact
from greyhub.checks.platform import Platform
from greyhub.class_names import made_from
from greyhub.public_address import is_loopback


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


def _auth_state(platform: Platform) -> bool:
    return bool(platform.value("Authenticator", "enable_auth_state"))


def _crypt_key(platform: Platform) -> bool:
    try:
        return bool(platform.value("CryptKeeper", "keys"))
    except ValueError:
        return False


def _set(option: str) -> Callable[[Platform], bool]:
    return lambda platform: bool(platform.config.get("JupyterHub", {}).get(option))


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


HUB: tuple[Fact, ...] = (
    Fact(
        "hub-reachable",
        "the hub's own address can be reached from other machines",
        _hub_reachable,
        'set c.JupyterHub.hub_ip = "0.0.0.0", and c.JupyterHub.hub_connect_ip to the name '
        "that servers know the hub by",
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
