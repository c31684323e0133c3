"""Let users and their servers ask a service of the hub: the scopes that their tokens need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from traitlets.config import Config

SERVER: Final = ("users:activity!user", "access:servers!server")
"""What JupyterHub's own role ``server`` allows."""


def scope(service: str) -> str:
    """What a token needs for a service."""
    return f"access:services!service={service}"


def granted(config: Config, service: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Roles and options by which users and their servers may ask a service.

    Parameters
    ----------
    config : Config
        What the administrator wrote: a role that it defines keeps what it allows.

    Returns
    -------
    tuple
        Roles for ``load_roles``, and options of the Spawner.
    """
    written = _roles(config)
    roles = []
    if "user" not in written:
        roles.append({"name": "user", "scopes": ["self", scope(service)]})
    server = [*written.get("server", SERVER), scope(service)]
    options = {"server_token_scopes": list(dict.fromkeys(server))}
    return roles, options


def lacking(config: Config, service: str) -> bool:
    """Whether the administrator's own role ``user`` shuts users out of a service."""
    scopes = _roles(config).get("user")
    enough = {"access:services", scope(service)}
    return scopes is not None and not enough & set(scopes)


def _roles(config: Config) -> Mapping[str, Sequence[str]]:
    written = config.get("JupyterHub", {}).get("load_roles") or ()
    return {
        str(each["name"]): [str(scope) for scope in each.get("scopes", ())]
        for each in (written if isinstance(written, list | tuple) else ())
        if isinstance(each, Mapping) and "name" in each
    }
