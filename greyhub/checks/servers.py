"""Check what servers on the hub's own machine need as they start."""

from __future__ import annotations

import os
from collections.abc import Iterator

from greyhub.adapter import Finding
from greyhub.checks import first_page
from greyhub.checks.platform import Platform
from greyhub.class_names import ON_HUB, made_from


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about what starts servers, and where those on this machine begin."""
    empty = "spawner" not in platform.adapters and "spawner" not in platform.broken
    if empty and (path := platform.is_set("GreyHub", "spawner")):
        yield platform.finding(
            "error",
            path,
            "this slot cannot be empty: without a spawner there are no servers",
            "leave the line out, or name a Spawner class",
        )
    if "spawner" in platform.adapters and made_from(platform.spawner, *ON_HUB):
        yield from first_page.check(platform)
        yield from _kept_variables(platform)


def _kept_variables(platform: Platform) -> Iterator[Finding]:
    """Variables that servers are to have of the hub's, and that the hub does not have."""
    path = platform.is_set("Spawner", "env_keep")
    if path and platform.spawner is not None:
        usual = platform.spawner.class_traits()["env_keep"].default()  # type: ignore[attr-defined]
        kept = platform.value("Spawner", "env_keep") or ()
        for name in sorted({*map(str, kept)} - {*usual} - {*os.environ}):
            yield platform.finding(
                "note",
                path,
                f"{name} is not set here, and servers have it only where the hub has it",
                "set it where the hub is started, or in c.Spawner.environment",
            )
