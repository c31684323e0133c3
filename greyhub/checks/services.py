"""Check the commands of the hub's services."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform


def check_command(
    platform: Platform, path: tuple[str, ...], service: Mapping[str, Any]
) -> Iterator[Finding]:
    """A command that is no list, or whose program is not there."""
    name, command = service.get("name"), service.get("command")
    if isinstance(command, str) and len(command.split()) > 1:
        yield platform.finding(
            "error",
            path,
            f"the command of the service {name!r} is one text, and so would be one program's name",
            f"write a list: {command.split()!r}",
        )
    elif isinstance(command, list) and command and not _is_program(command[0], service):
        yield platform.finding(
            "error",
            path,
            f"the command of the service {name!r} is not there: {command[0]}",
            "fix its path, or install the package that brings it in the hub's environment",
        )


def _is_program(command: object, service: Mapping[str, Any]) -> bool:
    given = service.get("environment")
    path = given.get("PATH") if isinstance(given, Mapping) else None
    # Another account's or a folder's own command may not be seen from here.
    unseen = service.get("cwd") or service.get("user")
    return bool(unseen or shutil.which(str(command), path=path))
