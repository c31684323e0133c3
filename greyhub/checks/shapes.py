"""Check the keys of mappings inside options: services, roles, groups, profiles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.wording import write_instead

_ROLE = {"name", "description", "scopes", "users", "services", "groups", "managed_by_auth"}
_GROUP = {"users", "properties"}
LISTS = ("scopes", "users", "services", "groups", "oauth_client_allowed_scopes")
"""Keys whose value is a list: JupyterHub would read a text as one entry for each letter."""


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about the keys of services, roles, groups and profiles."""
    yield from _each(platform, "services", service_keys())
    yield from _each(platform, "load_roles", _ROLE)
    yield from _groups(platform)
    yield from _profiles(platform)
    yield from _wrapped(platform)


def _each(platform: Platform, option: str, keys: Collection[str]) -> Iterator[Finding]:
    path = platform.is_set("JupyterHub", option)
    for item in platform.value("JupyterHub", option) or () if path else ():
        if not isinstance(item, Mapping):
            continue
        name = item.get("name", "")
        if not name:
            yield platform.finding("error", path or (), "one of these has no name", "give it one")
        yield from _keys(platform, path or (), item, keys, f"{name!r}")


def service_keys() -> set[str]:
    """The keys that a service's entry may have."""
    from jupyterhub.services.service import Service

    return set(Service.class_traits(input=True))


def _groups(platform: Platform) -> Iterator[Finding]:
    path = platform.is_set("JupyterHub", "load_groups")
    groups = platform.value("JupyterHub", "load_groups") if path else None
    for name, value in groups.items() if isinstance(groups, Mapping) else ():
        if isinstance(value, Mapping):
            yield from _keys(platform, path or (), value, _GROUP, f"the group {name!r}")
        elif isinstance(value, str):
            yield _text(platform, path or (), f"the group {name!r}", value)


def _profiles(platform: Platform) -> Iterator[Finding]:
    """A profile of KubeSpawner overrides options by name, and sets whatever it is told."""
    from greyhub.checks.classes import options

    path = platform.is_set("KubeSpawner", "profile_list")
    cls = platform.readers.of("KubeSpawner", "profile_list")
    profiles = platform.value("KubeSpawner", "profile_list") if path else None
    if cls is None or not isinstance(profiles, list):
        return
    for profile in profiles:
        overrides = profile.get("kubespawner_override") if isinstance(profile, Mapping) else None
        if isinstance(overrides, Mapping):
            title = profile.get("display_name", "")
            yield from _keys(platform, path or (), overrides, options(cls), f"profile {title!r}")


def _wrapped(platform: Platform) -> Iterator[Finding]:
    """A profile of wrapspawner's names a class, and options for it: others are ignored."""
    path = platform.is_set("ProfilesSpawner", "profiles")
    for profile in platform.value("ProfilesSpawner", "profiles") or () if path else ():
        title, _, cls, given = (*profile, None, None, None, None)[:4]
        if path and isinstance(cls, type) and isinstance(given, Mapping):
            known: Collection[str] = getattr(cls, "class_trait_names", list)()
            yield from _keys(platform, path, given, known, f"profile {title!r}")


def _keys(
    platform: Platform,
    path: tuple[str, ...],
    item: Mapping[str, Any],
    known: Collection[str],
    what: str,
) -> Iterator[Finding]:
    for key, value in item.items():
        if key in LISTS and isinstance(value, str):
            yield _text(platform, path, f"{key!r} of {what}", value)
        if key not in known:
            yield platform.finding(
                "error",
                path,
                f"{what} has a key {key!r}, which nothing reads",
                write_instead(str(key), sorted(known)),
            )


def _text(platform: Platform, path: tuple[str, ...], what: str, text: str) -> Finding:
    return platform.finding(
        "error",
        path,
        f"{what} is one text, which is read as a list of its letters",
        f"write [{text!r}]",
    )
