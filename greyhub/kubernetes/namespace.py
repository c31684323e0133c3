"""The namespace of the servers' pods."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from traitlets.config import Config

OWN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod finds the name of its namespace."""


SECTIONS: Final = ("PodSpawner", "KubeSpawner")
"""Where the Spawner's options may be set."""


def servers_namespace(config: Config) -> str:
    """Where pods are made: as it is set, or the hub's own, as KubeSpawner has it."""
    for section in SECTIONS:
        if "namespace" in config.get(section, {}):
            return str(config[section].namespace)
    return OWN.read_text() if OWN.exists() else "default"


def user_namespaces(config: Config) -> bool:
    """Whether each user's pods are in a namespace of the user's own."""
    return any(config.get(each, {}).get("enable_user_namespaces") for each in SECTIONS)
