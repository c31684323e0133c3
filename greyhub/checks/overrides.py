"""Warn of user values that replace what adapters contribute to an option."""

from __future__ import annotations

from collections.abc import Iterator

from greyhub.adapter import Finding
from greyhub.checks.platform import COMMAND_LINE, Platform


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about values that replace what an adapter adds."""
    for path, offers in platform.offers.items():
        if any(offer.joins for offer in offers) and platform.where(*path) == COMMAND_LINE:
            yield platform.finding(
                "error",
                path,
                f"{COMMAND_LINE} options replace a whole value, and adapters add to this one",
                f"set c.{'.'.join(path)} in the file, where both are joined",
            )
    both = {"homespace", "spawner"} <= {*platform.adapters}
    cmd = platform.is_set("Spawner", "cmd") if both else None
    if cmd and "greyhub" not in str(platform.value("Spawner", "cmd")):
        yield platform.finding(
            "warning",
            cmd,
            "servers start without greyhub-singleuser, which enters the user's home",
            "remove the line; arguments for the server belong in c.Spawner.args",
        )
