"""Which options of a configuration reach users, and whether their values are secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets.config.loader import LazyConfigValue

from greyhub.adapter import Adapter
from greyhub.checks.classes import options
from greyhub.checks.platform import Platform
from greyhub.secret_names import STORE_OPTIONS
from greyhub.secret_references import literal_secrets
from greyhub.secret_texts import holds_secret

SEEN_BY_USERS = {
    "Spawner": ("environment", "args", "cmd", "default_url", "notebook_dir"),
    "KubeSpawner": ("extra_annotations", "extra_labels", "init_containers", "profile_list"),
    "GreyHub": ("name", "homespace", "cluster", "data"),
}
"""Options whose value reaches a user's server, or a ticket. Also, any option of an adapter
whose trait is tagged ``seen=True``."""


def reaches_users_by(platform: Platform, section: str, option: str) -> str:
    """How the value of an option reaches users: in a ``ticket``, otherwise, or not at all."""
    for cls in platform.readers.by_section.get(section, ()):
        trait = options(cls).get(option)
        if issubclass(cls, Adapter) and trait is not None and trait.metadata.get("seen"):
            return "ticket"
        if any(option in SEEN_BY_USERS.get(base.__name__, ()) for base in cls.__mro__):
            return "ticket" if section == "GreyHub" else "server"
    return ""


def disclosed(option: str, value: Any) -> bool:
    """Whether a plain value of an option that users see holds a secret."""
    if isinstance(value, str):
        return "://" in value and holds_secret("", value)
    if option == "options" or option in STORE_OPTIONS:
        return any(True for _ in literal_secrets(items(value), store=option in STORE_OPTIONS))
    return False


def items(value: Any) -> Mapping[Any, Any]:
    """The mapping that an option is, or that ``update`` adds to it; otherwise an empty one."""
    if isinstance(value, LazyConfigValue):
        value = value._update
    return value if isinstance(value, Mapping) else {}
