"""Check the programs that the hub itself starts: are they there, and can they be started?"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from greyhub import proxy
from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.class_names import ON_HUB, made_from


def own_directory() -> Path:
    """Where the programs of the hub's own environment are."""
    return Path(sys.executable).parent


def missing(program: str, path: str | None = None) -> str:
    """Why a program cannot be started from here; empty if it can."""
    # Whoever starts the hub may have another PATH than whoever checks it.
    where = os.pathsep.join([path or os.environ.get("PATH", os.defpath), str(own_directory())])
    if shutil.which(program, path=where):
        return ""
    if os.sep not in program:
        words = program.split()
        if len(words) > 1 and shutil.which(words[0], path=where):
            return f"one text is one program's name, and there is no {program!r}"
        return f"there is no program {program!r} on the hub's PATH"
    file = Path(program)
    if file.is_dir():
        return f"{program} is a directory"
    return f"{program} is not executable" if file.exists() else f"there is no {program}"


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about commands that were written and cannot be started."""
    for option, path in _commands(platform):
        command = platform.value(*option)
        words = [command] if isinstance(command, str) else [str(each) for each in command or ()]
        if words and "{" not in words[0] and (why := missing(words[0], _path_of(platform, option))):
            several = words[0].split()
            yield platform.finding(
                "error",
                path,
                f"this cannot be started: {why}",
                f"write a list: {several + words[1:]!r}"
                if why.startswith("one text")
                else f"chmod +x {words[0]}"
                if why.endswith("not executable")
                else "fix its path, install what brings it, or leave the line out",
            )


def _commands(platform: Platform) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """The options that name what the hub starts here, with the paths at which they are set."""
    options: list[tuple[str, str]] = []
    if "spawner" not in platform.adapters:
        pass  # and what is wrong with the slot is said
    elif made_from(platform.spawner, "LocalProcessSpawner"):
        options += [("Spawner", "cmd"), ("LocalProcessSpawner", "shell_cmd")]
    elif made_from(platform.spawner, *ON_HUB):
        value = platform.value("Spawner", "cmd") or [""]
        if os.path.isabs(str(value[0])):  # otherwise it is looked for as the user
            options.append(("Spawner", "cmd"))
    if not proxy.is_elsewhere(platform.config):
        options.append(("ConfigurableHTTPProxy", "command"))
    if platform.value("LocalAuthenticator", "create_system_users"):
        options.append(("LocalAuthenticator", "add_user_cmd"))
    for option in options:
        if path := platform.is_set(*option):
            yield option, path


def _path_of(platform: Platform, option: tuple[str, str]) -> str | None:
    """The PATH of servers, if it was written: by it their program is found."""
    given = platform.value("Spawner", "environment") if option[0] != "LocalAuthenticator" else None
    path = given.get("PATH") if isinstance(given, dict) and option[1].endswith("cmd") else None
    return path if isinstance(path, str) else None
