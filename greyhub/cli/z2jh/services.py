"""Services, roles and the culling of idle servers."""

from __future__ import annotations

import re
from typing import Any, Final

from greyhub.cli.z2jh.moving import (
    Group,
    Moving,
    Outcome,
    Rule,
    left,
    moved,
    tables,
    unneeded,
)
from greyhub.cli.z2jh.secrets import Reference
from greyhub.cli.z2jh.text import python
from greyhub.clusters.brokered import SERVICE
from greyhub.clusters.gateway_connect import SERVER_SCOPES, access_scope

GATEWAY: Final = "dask-gateway"

CULLER: Final = "jupyterhub-idle-culler"


def _service(moving: Moving, path: str, value: Any) -> Outcome:
    name = path.split(".", 2)[2]
    value = {} if value is None else value
    if not isinstance(value, dict):
        return left("it is no service: write it in c.JupyterHub.services")
    entry = {"name": name, **value}
    for key in ("apiToken", "api_token"):
        token = entry.pop(key, None)
        if token:
            entry["api_token"] = Reference(moving.secrets.keep(f"{path}.{key}", str(token)))
    review = ""
    if "command" not in entry and "api_token" not in entry:
        entry["api_token"] = Reference(_unknown(moving, path))
        review = "z2jh made its token: it is kept, if the Secret is made as below"
    moving.services.append((path, moving.secrets.without(path, entry)))
    return moved("c.JupyterHub.services", review)


def _unknown(moving: Moving, path: str) -> str:
    """The variable of a token that z2jh has made, and the values do not know."""
    name = re.sub(r"\W", "_", f"{path.split('.', 2)[2]}_API_TOKEN").upper()
    moving.unknown[name] = f"{path}.apiToken"
    return name


def _gateway(moving: Moving, path: str, value: Any) -> Outcome:
    if not moving.values.gateway:
        return _service(moving, path, value)
    return unneeded("clusters are greyhub's own service")


def _role(moving: Moving, path: str, value: Any) -> Outcome:
    name = path.split(".", 2)[2]
    if not isinstance(value, dict):
        return left("it is no role: write it in c.JupyterHub.load_roles")
    role = {"name": name, **value}
    scopes = [
        str(scope).replace(f"service={GATEWAY}", f"service={SERVICE}")
        for scope in role.get("scopes", [])
    ]
    review = ""
    if "scopes" in role:
        needed = {access_scope(SERVICE), "access:services", "inherit"}
        if moving.values.gateway and role["name"] in ("user", "server") and not needed & {*scopes}:
            scopes.append(access_scope(SERVICE))
            review = "the access to clusters was added"
        if role["name"] == "server" and "inherit" not in scopes:
            lacking = [each for each in SERVER_SCOPES if each not in scopes]
            if lacking:
                review = f"it stands in place of JupyterHub's, which has {', '.join(lacking)}, too"
        role["scopes"] = scopes
    moving.roles.append((path, role))
    return moved("c.JupyterHub.load_roles", review)


def _cull(moving: Moving, path: str, value: Any) -> Outcome:
    if not moving.get("cull.enabled"):
        return unneeded("nothing is culled")
    return moved(f"the service {CULLER}")


def _culler(moving: Moving) -> None:
    """The command and the rights of jupyterhub-idle-culler, as z2jh has them."""
    arguments = [
        f"--{flag}={moving.get(f'cull.{key}')}"
        for flag, key in (
            ("timeout", "timeout"),
            ("cull-every", "every"),
            ("concurrency", "concurrency"),
            ("max-age", "maxAge"),
        )
        if moving.get(f"cull.{key}")
    ]
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    if moving.get("cull.users"):
        arguments.append("--cull-users")
        scopes.append("admin:users")
    if not moving.get("cull.adminUsers"):
        arguments.append("--cull-admin-users=false")
    if moving.get("cull.removeNamedServers"):
        arguments.append("--remove-named-servers")
    command = [_Python("sys.executable"), "-m", "jupyterhub_idle_culler", *arguments]
    moving.services.insert(0, ("cull", {"name": CULLER, "command": command}))
    moving.roles.insert(0, ("cull", {"name": CULLER, "services": [CULLER], "scopes": scopes}))


class _Python:
    """A name in the config file."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _finish(moving: Moving) -> None:
    if moving.get("cull.enabled"):
        _culler(moving)
    for option, entries in (("services", moving.services), ("load_roles", moving.roles)):
        if not entries:
            moving.write(f"c.JupyterHub.{option} = []")
            continue
        moving.write(f"c.JupyterHub.{option} = [")
        for path, entry in entries:
            moving.write(f"    # {path}", f"    {python(entry, 4)},")
        moving.write("]")


GROUP: Final = Group(
    "Services and roles",
    {
        f"hub.services.{GATEWAY}": Rule(_gateway, empty=True),
        "hub.services.*": Rule(_service, empty=True),
        "hub.loadRoles.*": Rule(_role),
        **tables(
            "cull",
            "enabled users adminUsers removeNamedServers timeout every concurrency maxAge",
            Rule(_cull, empty=True),
        ),
    },
    finish=_finish,
)
