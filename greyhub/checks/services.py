"""Check the commands of the hub's services."""

from __future__ import annotations

import pwd
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from greyhub.adapter import Finding
from greyhub.addresses import WEB, WrongAddress, check_address
from greyhub.checks.platform import Platform


def check_address_of(
    platform: Platform, path: tuple[str, ...], service: Mapping[str, Any]
) -> Iterator[Finding]:
    """A URL at which the hub's proxy would find nothing."""
    if wrong := wrong_address(service):
        what = f"the address of the service {service.get('name')!r}: {wrong.what}"
        yield platform.finding("error", path, what, wrong.fix)


def wrong_address(service: Mapping[str, Any]) -> WrongAddress | None:
    """What is wrong with a service's URL."""
    url = service.get("url")
    try:
        if isinstance(url, str) and url:
            check_address(url, WEB)
    except WrongAddress as wrong:
        return wrong
    return None


def check_twice(
    platform: Platform, path: tuple[str, ...], services: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Two services of one name, or with one token: JupyterHub keeps one of them."""
    for key, what, fix in (
        ("name", "two services are called {0!r}, and the hub keeps the last", "rename one"),
        (
            "api_token",
            "the services {0!r} and {1!r} have one token, and the hub takes both for one of them",
            "give each a token of its own: openssl rand -hex 32",
        ),
    ):
        first: dict[str, Any] = {}
        for service in services:
            value = service.get(key)
            if isinstance(value, str) and value:
                if value in first:
                    said = what.format(first[value], service.get("name"))
                    yield platform.finding("warning", path, said, fix)
                first.setdefault(value, service.get("name"))


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
    elif isinstance(command, list) and command and (absent := _not_run(command, service)):
        # The hub starts without a module, which may be installed before it does.
        what = f"module {absent.name}" if absent.is_module else absent.name
        yield platform.finding(
            "note" if absent.is_module else "error",
            path,
            f"the command of the service {name!r} would end at once: there is no {what}",
            "fix its name, or install the package that brings it in the hub's environment",
        )
    yield from _place(platform, path, service)


@dataclass(frozen=True)
class _Absent:
    """A script, or a module, that an interpreter is told to run and that is not there."""

    name: str
    is_module: bool = False


def _not_run(command: Sequence[object], service: Mapping[str, Any]) -> _Absent | None:
    """What an interpreter is told to run, where it is not there."""
    program, *arguments = map(str, command)
    found = shutil.which(program) or program
    if service.get("cwd") or service.get("user") or not arguments:
        return None
    script = re.fullmatch(r"(python|node|bash|sh)[\d.]*", Path(program).name)
    if script and arguments[0].startswith("/") and not Path(arguments[0]).exists():
        return _Absent(arguments[0])
    own = Path(found).parent == Path(sys.executable).parent
    if own and script and script[1] == "python" and arguments[0] == "-m" and arguments[1:]:
        module = arguments[1].partition(".")[0]
        given = service.get("environment")
        elsewhere = isinstance(given, Mapping) and "PYTHONPATH" in given
        return None if elsewhere or find_spec(module) else _Absent(module, is_module=True)
    return None


def _place(
    platform: Platform, path: tuple[str, ...], service: Mapping[str, Any]
) -> Iterator[Finding]:
    """The directory and the account of a service that the hub starts."""
    name, cwd, user = service.get("name"), service.get("cwd"), service.get("user")
    if not service.get("command"):
        return
    if isinstance(cwd, str) and not Path(cwd).is_dir():
        yield platform.finding(
            "error",
            path,
            f"the service {name!r} would begin in {cwd}, and there is no such directory",
            f"make it, or leave cwd of {name!r} out",
        )
    if isinstance(user, str):
        try:
            pwd.getpwnam(user)
        except KeyError:
            yield platform.finding(
                "error",
                path,
                f"the service {name!r} would run as {user!r}, and this machine has no such account",
                f"make the account, or leave user of {name!r} out",
            )


def _is_program(command: object, service: Mapping[str, Any]) -> bool:
    given = service.get("environment")
    path = given.get("PATH") if isinstance(given, Mapping) else None
    # Another account's or a folder's own command may not be seen from here.
    unseen = service.get("cwd") or service.get("user")
    return bool(unseen or shutil.which(str(command), path=path))
