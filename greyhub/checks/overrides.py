"""Warn of user values that replace what adapters contribute to an option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.classes import sections
from greyhub.checks.platform import COMMAND_LINE, Platform
from greyhub.merge import Origin


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about values that replace what an adapter adds."""
    for _, section, option, value in added(platform):
        joined = isinstance(value, list | Mapping) or option.endswith("_hook")
        for name in _sections_of(platform, section):
            if joined and option in platform.command_line.get(name, {}):
                yield platform.finding(
                    "error",
                    (name, option),
                    f"{COMMAND_LINE} options replace a whole value, and adapters add to this one",
                    f"set c.{name}.{option} in the file, where both are joined",
                )
    path = platform.is_set("Spawner", "cmd") if "homespace" in platform.adapters else None
    if path and "greyhub" not in str(platform.value("Spawner", "cmd")):
        yield platform.finding(
            "warning",
            path,
            "servers start without greyhub-singleuser, which enters the user's home",
            "remove the line; arguments for the server belong in c.Spawner.args",
        )


def added(platform: Platform) -> Iterator[tuple[Origin, str, str, Any]]:
    """What greyhub and the adapters add: who, section, option, value."""
    for who, contribution in platform.contributions:
        if contribution.services:
            yield who, "JupyterHub", "services", list(contribution.services)
        if contribution.roles:
            yield who, "JupyterHub", "load_roles", list(contribution.roles)
        if contribution.environment:
            yield who, "Spawner", "environment", dict(contribution.environment)
        for section, values in contribution.config.items():
            for option, value in values.items():
                yield who, section, option, value


def _sections_of(platform: Platform, section: str) -> list[str]:
    """The sections in which an option may be set, given one of them."""
    for cls in platform.readers.by_section.get(section, ()):
        return sections(cls)
    return [section]
