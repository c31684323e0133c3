"""``singleuser.profileList``: profiles of greyhub where they say the same, else KubeSpawner's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from greyhub.cli.z2jh.moving import Group, Moving, Outcome, Rule, left, moved
from greyhub.cli.z2jh.servers import IN_IMAGE

KNOWN: Final = frozenset(
    {"display_name", "slug", "description", "default", "kubespawner_override", "profile_options"}
)
"""The keys of a profile that KubeSpawner reads."""

GROUPS: Final = "allowed_groups"
"""A key that some installations read by code of their own: who may take a profile or a choice."""

FILTER: Final = '''\


def permitted(entries, groups):
    """Copies of the profiles, or of an option's choices, that are for one of these groups."""
    for entry in entries:
        if entry.get("allowed_groups") and not groups & set(entry["allowed_groups"]):
            continue
        options = {}
        for name, option in entry.get("profile_options", {}).items():
            choices = {
                key: kept
                for key, choice in option.get("choices", {}).items()
                for kept in permitted([choice], groups)
            }
            if choices or not option.get("choices") or option.get("unlisted_choice"):
                options[name] = option | {"choices": choices}
        yield entry | {"profile_options": options}


def profile_list(spawner):
    """What the user's groups may take."""
    groups = {group.name for group in spawner.user.groups}
    return list(permitted(PROFILES, groups))


c.KubeSpawner.profile_list = profile_list'''


def _profiles(moving: Moving, path: str, value: Any) -> Outcome:
    profiles = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(profiles, list) or not all(isinstance(each, Mapping) for each in profiles):
        return left("it is no list of profiles: write c.SpawnerAdapter.profiles")
    review = IN_IMAGE if any(_images(profiles)) else ""
    ours = [_ours(each) for each in profiles]
    if moving.get("singleuser.nodeSelector"):  # KubeSpawner replaces it, and greyhub adds to it
        ours = [each for each in ours if each and "node_selector" not in each]
    names = [each["name"] for each in ours if each]
    if len(set(names)) == len(profiles):
        moving.option(path, "SpawnerAdapter.profiles", ours)
        return moved("c.SpawnerAdapter.profiles", review)
    unknown = sorted({key for each in profiles for key in each} - KNOWN - {GROUPS})
    if unknown:
        review = f"KubeSpawner does not read {', '.join(unknown)}; {review}".rstrip("; ")
    if any(_restricted(profiles)):
        clean = moving.secrets.without(path, profiles)
        moving.assign(path, "PROFILES", clean)
        moving.write(*FILTER.splitlines())
        return moved("c.KubeSpawner.profile_list, by group", review)
    moving.option(path, "KubeSpawner.profile_list", profiles)
    return moved("c.KubeSpawner.profile_list", review)


def _images(value: Any) -> Iterator[str]:
    """Images of profiles and of their choices."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key == "image" and isinstance(each, str):
                yield each
            else:
                yield from _images(each)
    elif isinstance(value, list):
        for each in value:
            yield from _images(each)


def images(moving: Moving) -> list[str]:
    """The images that profiles name, without those that users are asked for."""
    named = _images(moving.get("singleuser.profileList", []))
    return [each for each in dict.fromkeys(named) if "{" not in each]


def _restricted(value: Any) -> Iterator[bool]:
    if isinstance(value, Mapping):
        if value.get(GROUPS):
            yield True
        for each in value.values():
            yield from _restricted(each)
    elif isinstance(value, list):
        for each in value:
            yield from _restricted(each)


def _ours(profile: Mapping[str, Any]) -> dict[str, Any] | None:
    """A profile of greyhub that gives a server the same; None where there is none."""
    said = profile.get("kubespawner_override") or {}
    takes = {"image", "cpu_limit", "cpu_guarantee", "mem_limit", "mem_guarantee", "node_selector"}
    known = {"display_name", "slug", "description", "default", "kubespawner_override", GROUPS}
    if set(profile) - known or set(said) - takes or not profile.get("display_name"):
        return None
    cores, memory = said.get("cpu_limit"), said.get("mem_limit")
    if cores != said.get("cpu_guarantee") or memory != said.get("mem_guarantee"):
        return None  # greyhub keeps free for a server all that it may use
    size = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT])", str(memory)) if memory else None
    if memory and not size:
        return None
    title = str(profile["display_name"])
    found = {
        "name": re.sub(r"[^a-z0-9]+", "-", str(profile.get("slug") or title).lower()).strip("-"),
        "title": title.strip(),
        "description": str(profile.get("description") or "").strip(),
        "groups": profile.get(GROUPS),
        "default": str(profile.get("default")).lower() == "true",
        "cores": cores,
        "memory": f"{size[1]} {size[2]}iB" if size else None,
        "image": said.get("image"),
        "node_selector": said.get("node_selector"),
    }
    return {key: each for key, each in found.items() if each} if found["name"] else None


GROUP: Final = Group("Profiles", {"singleuser.profileList": Rule(_profiles)})
