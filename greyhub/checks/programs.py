"""Check the programs that the hub itself starts: are they there, and can they be started?"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from greyhub import proxy
from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.class_names import ON_HUB, made_from


def own_directory() -> Path:
    """Where the programs of the hub's own environment are."""
    return Path(sys.executable).parent


class Why(Enum):
    """Why a program cannot be started."""

    ONE_TEXT = "a program and its arguments are one text"
    UNKNOWN = "no directory of the PATH has it"
    DIRECTORY = "it is a directory"
    NOT_EXECUTABLE = "it is not executable"
    ABSENT = "there is no such file"


@dataclass(frozen=True)
class Missing:
    """A program that cannot be started: why, and in words."""

    why: Why
    what: str


def missing(program: str, path: str | None = None) -> Missing | None:
    """Why a program cannot be started from here; None if it can."""
    # Whoever starts the hub may have another PATH than whoever checks it.
    where = os.pathsep.join([path or os.environ.get("PATH", os.defpath), str(own_directory())])
    if shutil.which(program, path=where):
        return None
    if os.sep not in program:
        words = program.split()
        if len(words) > 1 and shutil.which(words[0], path=where):
            what = f"one text is one program's name, and there is no {program!r}"
            return Missing(Why.ONE_TEXT, what)
        return Missing(Why.UNKNOWN, f"there is no program {program!r} on the hub's PATH")
    file = Path(program)
    if file.is_dir():
        return Missing(Why.DIRECTORY, f"{program} is a directory")
    if file.exists():
        return Missing(Why.NOT_EXECUTABLE, f"{program} is not executable")
    return Missing(Why.ABSENT, f"there is no {program}")


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about commands that were written and cannot be started."""
    for option, path in _commands(platform):
        command = platform.value(*option)
        words = [command] if isinstance(command, str) else [str(each) for each in command or ()]
        if not words or "{" in words[0]:
            continue
        if found := missing(words[0], _path_of(platform, option)):
            yield platform.finding(
                "error", path, f"this cannot be started: {found.what}", _fix(found.why, words)
            )


def _fix(why: Why, words: list[str]) -> str:
    if why is Why.ONE_TEXT:
        return f"write a list: {words[0].split() + words[1:]!r}"
    if why is Why.NOT_EXECUTABLE:
        return f"chmod +x {words[0]}"
    return "fix its path, install what brings it, or leave the line out"


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
    if made_from(platform.spawner, "SudoSpawner"):
        options.append(("SudoSpawner", "sudospawner_path"))
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
