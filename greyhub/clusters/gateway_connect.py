"""What the adapters of dask-gateways share: roles, variables, and the notebook's way to one.

A ticket has ``address``, ``proxy_address``, ``public_address``, ``auth``, ``broker`` and
``options``: keyword arguments for each cluster.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from greyhub.clusters import Cluster
from greyhub.clusters.listing import ClusterList
from greyhub.errors import ClusterError, ConfigError

SERVER_SCOPES = ("users:activity!user", "access:servers!server")
"""What JupyterHub's role ``server`` has by itself."""


def access_scope(service: str) -> str:
    """The scope by which a user, and a server's token, may use a service of the hub's."""
    return f"access:services!service={service}"


def roles(config: Any, service: str) -> list[dict[str, Any]]:
    """JupyterHub's roles for users and for servers' tokens, with the access to a service.

    Those that the administrator has written are left out: see `check_roles`.
    """
    scope = access_scope(service)
    made = {"user": ["self", scope], "server": [*SERVER_SCOPES, scope]}
    written = {role.get("name") for role in _written(config)}
    return [{"name": name, "scopes": made[name]} for name in made if name not in written]


def check_roles(config: Any, service: str) -> None:
    """Refuse roles of the administrator's that stand in place of these and lack the access.

    Raises
    ------
    greyhub.errors.ConfigError
        Names the role, and the scope.
    """
    scope = access_scope(service)
    granting = {scope, "access:services", "inherit"}
    for role in _written(config):
        name = role.get("name")
        if name in ("user", "server") and "scopes" in role and not granting & {*role["scopes"]}:
            raise ConfigError(
                f"the role {name!r} does not let "
                f"{'users' if name == 'user' else 'servers'} use the clusters",
                where="c.JupyterHub.load_roles",
                fix=f"add {scope!r} to the role's scopes, or remove the role",
            )


def _written(config: Any) -> list[Mapping[str, Any]]:
    """The roles that the administrator has written."""
    written = config.get("JupyterHub", {}).get("load_roles", ())
    found = written if isinstance(written, list | tuple) else ()
    return [role for role in found if isinstance(role, Mapping)]


def environment(ticket: Mapping[str, Any]) -> dict[str, str]:
    """Variables by which ``dask_gateway.Gateway()`` finds the gateway, without greyhub."""
    kept = {
        "DASK_GATEWAY__ADDRESS": ticket["address"],
        "DASK_GATEWAY__PROXY_ADDRESS": ticket["proxy_address"],
        "DASK_GATEWAY__PUBLIC_ADDRESS": _public(ticket, "{JUPYTERHUB_BASE_URL}"),
        "DASK_GATEWAY__AUTH__TYPE": ticket["auth"],
    }
    if ticket["auth"] == "basic":
        kept["DASK_GATEWAY__AUTH__KWARGS__USERNAME"] = "{JUPYTERHUB_USER}"
    return {name: value for name, value in kept.items() if value}


def connect(ticket: Mapping[str, Any], workers: int | None, options: Mapping[str, Any]) -> Cluster:
    """A new cluster of a gateway's, with ``workers`` asked for."""
    from greyhub.clusters.gateway_cluster import BrokerCluster

    if "name" in options:
        raise ClusterError(
            "name: the gateway names its clusters itself\n"
            "  fix: leave it out; hub.clusters() lists those that run, and joins them by name"
        )
    given = {**ticket["options"], **options}
    if ticket["broker"]:
        given = {
            "python": sys.executable,
            "server": os.environ.get("JUPYTERHUB_SERVER_NAME", ""),
            **given,
        }
    cluster: Cluster = BrokerCluster(
        workers=workers, broker=ticket["broker"], **_where(ticket), **given
    )
    return cluster


def clusters(ticket: Mapping[str, Any]) -> ClusterList:
    """The user's clusters that start or run."""
    from greyhub.clusters.gateway_listing import entries

    return ClusterList(entries(_where(ticket), broker=ticket["broker"]))


def _where(ticket: Mapping[str, Any]) -> dict[str, Any]:
    """How `dask_gateway.Gateway` is told of a gateway."""
    from dask_gateway import BasicAuth
    from dask_gateway.auth import get_auth

    auth: Any = ticket["auth"]
    if auth == "basic" and "DASK_GATEWAY__AUTH__KWARGS__USERNAME" not in os.environ:
        auth = BasicAuth(os.environ.get("JUPYTERHUB_USER"))
    return {
        "address": ticket["address"],
        "proxy_address": ticket["proxy_address"] or None,
        "public_address": _public(ticket, os.environ.get("JUPYTERHUB_BASE_URL", "/")) or None,
        "auth": get_auth(auth),
    }


def _public(ticket: Mapping[str, Any], base: str) -> str:
    """Where a browser reaches the gateway; a path is one of the hub's."""
    address = str(ticket["public_address"])
    return f"{base}{address.removeprefix('/')}" if address.startswith("/") else address
