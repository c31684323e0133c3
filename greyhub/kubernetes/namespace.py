"""What the configuration says of the servers' pods: options of the Spawner, their namespace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from traitlets.config import Config

OWN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod finds the name of its namespace."""


SECTIONS: Final = ("PodSpawner", "KubeSpawner")
"""Where the Spawner's options may be set."""


def spawner_option(config: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """An option of the Spawner as it was written, or a default."""
    for section in SECTIONS:
        if name in config.get(section, {}):
            return config[section][name]
    return default


def servers_namespace(config: Config) -> str:
    """Where pods are made: as it is set, or the hub's own, as KubeSpawner has it."""
    written = spawner_option(config, "namespace")
    if written is not None:
        return str(written)
    return OWN.read_text() if OWN.exists() else "default"


def user_namespaces(config: Config) -> bool:
    """Whether each user's pods are in a namespace of the user's own."""
    return any(config.get(each, {}).get("enable_user_namespaces") for each in SECTIONS)
