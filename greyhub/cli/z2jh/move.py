"""The move as a whole: all groups, in the order in which the config file has them."""

from __future__ import annotations

from typing import Final

from greyhub.cli.z2jh import (
    code,
    config,
    gateway,
    homes,
    hub,
    network,
    others,
    profiles,
    scheduling,
    servers,
    services,
)
from greyhub.cli.z2jh.apply import apply
from greyhub.cli.z2jh.moving import Group, Moving
from greyhub.cli.z2jh.secrets import KEPT, NAME
from greyhub.cli.z2jh.values import Values

GROUPS: Final = (
    homes.GROUP,
    servers.GROUP,
    scheduling.GROUP,
    profiles.GROUP,
    gateway.GROUP,
    hub.GROUP,
    network.GROUP,
    others.GROUP,
    services.GROUP,
    config.GROUP,
    code.GROUP,
)
"""z2jh sets its own options first, then ``hub.config``, and runs the code last."""

OF_HUB: Final[tuple[Group, ...]] = tuple(each for each in GROUPS if each is not gateway.GROUP)


def move(values: Values, version: str = "") -> Moving:
    """What becomes of values: see `greyhub.cli.z2jh.render` for the files."""
    moving = Moving(values, version)
    apply(moving, moving.hub, OF_HUB)
    apply(moving, values.gateway, [gateway.GROUP], "dask-gateway")
    others.others(moving)
    hub.finish(moving)
    names = [NAME] if moving.secrets.paths else []
    names += [KEPT] if moving.unknown else []
    if names:
        moving.chart["secrets"] = names
    return moving
