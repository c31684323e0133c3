"""Say who may log in and who is admin."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from traitlets import HasTraits

from greyhub.checks.authenticators import allowing_options, decides, option_of
from greyhub.checks.platform import Platform
from greyhub.class_names import made_from

MANY = 5
"""Names that a line shows before it counts."""


@dataclass(frozen=True)
class Access:
    """Who may log in and who is admin, as text."""

    users: str
    admins: str

    def __str__(self) -> str:
        return f"may log in: {self.users}; admins: {self.admins}"


def describe(platform: Platform) -> Access:
    """Who may log in and who is admin, as the hub will see it."""
    cls = platform.authenticator
    if cls is None or "auth" in platform.broken:
        return Access("unknown", "unknown")
    users, admins = [], []
    for name, each in platform.authenticators.items():
        prefix = f"{name}: " if name else ""
        users.append(prefix + _users(cls, each))
        admins.append(prefix + _admins(platform, each))
    return Access("; ".join(users), "; ".join(admins))


def _users(cls: type, authenticator: HasTraits) -> str:
    if made_from(cls, "NullAuthenticator"):
        return "nobody (NullAuthenticator): API tokens alone open this hub"
    if option_of(authenticator, "allow_all"):
        return f"everybody whom {cls.__name__} recognises"
    parts = []
    for name in allowing_options(authenticator):
        value = option_of(authenticator, name)
        if name == "allowed_users":
            parts.append(_names(value))
        elif name == "allow_existing_users":
            parts.append("users who are in the hub's database")
        else:
            parts.append(f"{name} {_names(value)}" if isinstance(value, Collection) else name)
    if decides(cls):
        parts.append(f"whom {cls.__name__} allows by its own rules")
    return ", ".join(parts) or "nobody"


def _admins(platform: Platform, authenticator: HasTraits) -> str:
    parts = []
    if users := option_of(authenticator, "admin_users"):
        parts.append(_names(users))
    if groups := option_of(authenticator, "admin_groups"):
        parts.append(f"the groups {_names(groups)}")
    for role in platform.value("JupyterHub", "load_roles") or ():
        if isinstance(role, Mapping) and role.get("name") == "admin":
            for kind in ("users", "groups", "services"):
                if role.get(kind):
                    parts.append(
                        f"the {kind} {_names(role[kind])}"
                        if kind != "users"
                        else _names(role[kind])
                    )
    return ", ".join(parts) or "nobody"


def _names(values: Any) -> str:
    names = sorted(map(str, values)) if isinstance(values, Iterable) else [str(values)]
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return ", ".join(names[:MANY]) + more
