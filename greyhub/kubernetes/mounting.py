"""Mount something into all pods of KubeSpawner's servers, as options of its."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traitlets.config import Config

from greyhub.kubernetes.namespace import SECTIONS


def mounted(
    config: Config, volumes: Mapping[str, Any], mounts: Mapping[str, Any]
) -> Mapping[str, Mapping[str, Any]]:
    """The options that mount volumes, as a part of an adapter's contribution.

    Parameters
    ----------
    config : Config
        What the administrator wrote: KubeSpawner takes lists or mappings, and these join
        only what is of the same kind.
    volumes : Mapping
        What each volume is, without its name: ``{"maps": {"configMap": {…}}}``.
    mounts : Mapping
        Where each is mounted: ``{"maps": {"mountPath": "/etc/maps", "readOnly": True}}``.
    """
    options = {"volumes": volumes, "volume_mounts": mounts}
    return {
        "KubeSpawner": {
            option: _like_written(config, option, parts) for option, parts in options.items()
        }
    }


def _like_written(config: Config, option: str, parts: Mapping[str, Any]) -> Any:
    named = {name: {"name": name, **part} for name, part in parts.items()}
    for section in SECTIONS:
        if isinstance(config.get(section, {}).get(option), Mapping):
            return named
    return list(named.values())
