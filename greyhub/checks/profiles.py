"""Check the profiles that users choose between, and whether the Spawner can give what they need."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.class_names import ON_HUB, made_from
from greyhub.spawners import SpawnerAdapter
from greyhub.spawners.profile_options import COMMANDS
from greyhub.spawners.profile_reading import read_profiles
from greyhub.spawners.profiles import Profile


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about ``c.SpawnerAdapter.profiles``."""
    adapter = platform.adapters.get("spawner")
    if not isinstance(adapter, SpawnerAdapter) or not adapter.profiles:
        return
    path = platform.is_set("SpawnerAdapter", "profiles") or ("SpawnerAdapter", "profiles")
    profiles, problems = read_profiles(adapter.profiles)
    for problem in problems:
        yield platform.finding("error", path, problem.what, problem.fix)
    yield from _others(platform)
    yield from _needs(platform, path, profiles, adapter.profile_keys())
    yield from _groups(platform, path, profiles)
    for profile in profiles:
        if profile.environment:
            yield from _environment(platform, path, profile)


def _others(platform: Platform) -> Iterator[Finding]:
    """Spawners that have profiles of their own: one form cannot ask for both."""
    own = (("KubeSpawner", "profile_list"), ("ProfilesSpawner", "profiles"))
    for name, option in own:
        used = platform.is_set(name, option) or (name == "ProfilesSpawner" and (name, option))
        if made_from(platform.spawner, name) and used:
            yield platform.finding(
                "error",
                used,
                f"c.SpawnerAdapter.profiles is set, too, and {name} has profiles of its own",
                "keep one of the two",
            )


def _needs(
    platform: Platform,
    path: Sequence[str],
    profiles: Sequence[Profile],
    accepted: Mapping[str, str],
) -> Iterator[Finding]:
    caveats: dict[str, dict[str, None]] = {}
    spawner = getattr(platform.spawner, "__name__", "this spawner")
    for profile in profiles:
        for key in profile.needs:
            if key not in accepted:
                yield platform.finding(
                    "error",
                    path,
                    f"the profile {profile.name!r} has {key}, which {spawner} cannot give a server",
                    f"leave {key} out, or choose another spawner: servers in pods, "
                    'c.GreyHub.spawner = "kubernetes", take every key',
                )
            elif accepted[key]:
                caveats.setdefault(accepted[key], {})[key] = None
    for caveat, keys in caveats.items():
        yield platform.finding("warning", path, f"{' and '.join(keys)} of a profile: {caveat}")


def _groups(
    platform: Platform, path: Sequence[str], profiles: Sequence[Profile]
) -> Iterator[Finding]:
    loaded = platform.value("JupyterHub", "load_groups") or {}
    for profile in profiles:
        for group in sorted((profile.groups or frozenset()) - {*loaded}):
            if close := difflib.get_close_matches(group, loaded, n=1):
                yield platform.finding(
                    "warning",
                    path,
                    f"the profile {profile.name!r} is for the group {group!r}, which "
                    "c.JupyterHub.load_groups does not have",
                    f"write {close[0]!r}",
                )
    if profiles and all(profile.groups for profile in profiles):
        yield platform.finding(
            "note", path, "every profile is for groups: who is in none of them can start no server"
        )


def _environment(platform: Platform, path: Sequence[str], profile: Profile) -> Iterator[Finding]:
    what = f"the profile {profile.name!r}: environment"
    if not made_from(platform.spawner, *ON_HUB):
        if not profile.environment.startswith("/"):
            yield platform.finding(
                "error",
                path,
                f"{what}: {profile.environment!r} is no absolute path",
                "write the whole path, as it is where servers run",
            )
        return
    prefix = Path(platform.greyhub.resolve(profile.environment))  # type: ignore[attr-defined]
    here = [name for name in COMMANDS if (prefix / "bin" / name).is_file()]
    fix = f"{prefix}/bin/pip install greyhub, or fix the path: it is that of the folder above bin"
    if not here:
        said = f"{what}: there is no {' and no '.join(COMMANDS)} in {prefix / 'bin'}"
        yield platform.finding("error", path, said, fix)
    elif COMMANDS[0] not in here:
        alone = made_from(platform.spawner, "LocalSpawner")
        yield platform.finding(
            "error" if alone else "warning",
            path,
            f"{what}: greyhub is not in {prefix}, so a server there has not the user's home",
            fix,
        )
    elif os.geteuid() == 0 and (prefix / "bin" / here[0]).stat().st_mode & 0o005 != 0o005:
        said = f"{what}: others than root may not run {prefix / 'bin' / here[0]}"
        yield platform.finding("warning", path, said, "see that every user can read and run it")
