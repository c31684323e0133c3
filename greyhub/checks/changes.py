"""Compare two configurations: warn of data, servers and names that a change leaves behind."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.identities import who_would_not_get_in
from greyhub.checks.platform import Platform
from greyhub.masking import masked, shown


@dataclass(frozen=True)
class PersistentSetting:
    """A setting that homes, servers or users that exist already depend on."""

    what: str
    value: Callable[[Platform], Any]
    left: str
    """What a change leaves behind."""
    fix: str


def _home(platform: Platform) -> Any:
    home = platform.adapters.get("homespace")
    if home is None:
        return None
    place = getattr(home, "url", "") or getattr(home, "directory", "")
    return masked(str(place)) if place else type(home).__name__


def _class(name: str) -> Callable[[Platform], Any]:
    return lambda platform: getattr(getattr(platform, name), "__name__", None)


def _state(platform: Platform) -> Any:
    return str(getattr(platform.greyhub, "state", ""))


def _database(platform: Platform) -> Any:
    url = str(platform.value("JupyterHub", "db_url") or "")
    return masked(url)


def _option(section: str, name: str) -> Callable[[Platform], Any]:
    def value(platform: Platform) -> Any:
        if platform.readers.of(section, name) is None:
            return None
        found = platform.value(section, name)
        return masked(found, name) if not isinstance(found, Path) else str(found)

    return value


_COPY = "copy the homes first: greyhub home copy {old} {new} --all"
_HOMES = "copy the homes first, then let users in"
_SERVERS = "stop every server before the hub starts with it"
_USERS = (
    "users who have logged in keep their names: greyhub users list. For the others: greyhub users "
    "map, or rename"
)

PERSISTENT_SETTINGS = (
    PersistentSetting("the homes' place", _home, "the homes that are there now", _COPY),
    PersistentSetting(
        "the hub's database", _database, "all users, tokens and running servers", "copy it first"
    ),
    PersistentSetting(
        "the state directory", _state, "keys, passwords, logs and tables", "copy it first"
    ),
    PersistentSetting(
        "the Spawner class",
        _class("spawner"),
        "servers that run now, which another class does not find again",
        _SERVERS,
    ),
    *(
        PersistentSetting(
            f"c.{section}.{name}",
            _option(section, name),
            "servers or volumes that were named by the former value",
            _SERVERS,
        )
        for section, name in (
            ("KubeSpawner", "pod_name_template"),
            ("KubeSpawner", "namespace"),
            ("KubeSpawner", "slug_scheme"),
            ("DockerSpawner", "name_template"),
            ("DockerSpawner", "prefix"),
            ("SystemdSpawner", "unit_name_template"),
        )
    ),
    *(
        PersistentSetting(
            f"c.{section}.{name}",
            _option(section, name),
            "the users' volumes that are there now",
            _HOMES,
        )
        for section, name in (
            ("KubeSpawner", "pvc_name_template"),
            ("KubeSpawner", "volumes"),
            ("DockerSpawner", "volumes"),
        )
    ),
    *(
        PersistentSetting(
            f"c.{section}.{name}",
            _option(section, name),
            "users and homes under the names that the former value gave",
            _USERS,
        )
        for section, name in (
            ("OAuthenticator", "username_claim"),
            ("Authenticator", "username_map"),
            ("GoogleOAuthenticator", "strip_domain"),
        )
    ),
    PersistentSetting(
        "c.JupyterHub.base_url",
        _option("JupyterHub", "base_url"),
        "servers that run now, which listen under the former path",
        _SERVERS,
    ),
    PersistentSetting(
        "the cookie secret's file",
        _option("JupyterHub", "cookie_secret_file"),
        "every login: all users log in again",
        "copy the file",
    ),
)
"""What the documentation lists, too."""


def left_behind(old: Platform, new: Platform, files: tuple[str, str]) -> Iterator[Finding]:
    """Warnings for a change from one configuration to another, which stand in two files."""
    names = dict(zip(("old", "new"), map(shlex.quote, files), strict=True))
    for setting in PERSISTENT_SETTINGS:
        before, after = setting.value(old), setting.value(new)
        if before != after:
            yield Finding(
                "warning",
                f"{setting.what} changes from {shown(before)} to {shown(after)}, "
                f"which leaves behind {setting.left}",
                setting.fix.format(**names),
            )
    yield from who_would_not_get_in(old, new, files)
