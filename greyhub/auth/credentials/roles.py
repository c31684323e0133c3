"""JupyterHub's roles by which a server's token may ask for credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from greyhub.errors import ConfigError

ROLES: Final = {
    "user": ("self",),
    "server": ("users:activity!user", "access:servers!server"),
}
"""What JupyterHub's roles of these names have by themselves. A token has what its user has, too."""


def roles(config: Any, scope: str) -> list[dict[str, Any]]:
    """The roles of users and of servers' tokens, with a scope more.

    Raises
    ------
    greyhub.errors.ConfigError
        The administrator has written one of them, and without the scope.
    """
    written = config.get("JupyterHub", {}).get("load_roles", ())
    found = written if isinstance(written, list | tuple) else ()
    own = {role.get("name"): role for role in found if isinstance(role, Mapping)}
    for name in ROLES:
        scopes = own.get(name, {}).get("scopes", (scope,))
        if not {scope, "inherit"} & {*scopes}:
            raise ConfigError(
                f"the role {name!r} does not let servers ask for credentials",
                where="c.JupyterHub.load_roles",
                fix=f"add {scope!r} to the role's scopes, or remove the role",
            )
    return [
        {"name": name, "scopes": [*scopes, scope]}
        for name, scopes in ROLES.items()
        if name not in own
    ]
