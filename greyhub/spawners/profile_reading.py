"""Read the profiles that an administrator wrote, and say all that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from greyhub.errors import ConfigError
from greyhub.spawners.profile_values import READ
from greyhub.spawners.profiles import Profile
from greyhub.wording import write_instead


def read_profiles(written: Sequence[Mapping[str, Any]]) -> tuple[list[Profile], list[ConfigError]]:
    """The profiles of ``c.SpawnerAdapter.profiles``, and all that is wrong with them."""
    profiles: list[Profile] = []
    problems: list[ConfigError] = []
    for number, item in enumerate(written, 1):
        found, wrong = _read(item, number)
        problems += wrong
        if found is not None:
            profiles.append(found)
    names = [profile.name for profile in profiles]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        problems.append(
            ConfigError(f"two profiles have the name {name!r}", fix="give each a name of its own")
        )
    if len(several := [each.name for each in profiles if each.default]) > 1:
        problems.append(
            ConfigError(
                f"several profiles are the default: {', '.join(several)}",
                fix="keep 'default': True in one of them",
            )
        )
    return profiles, problems


def _read(item: Mapping[str, Any], number: int) -> tuple[Profile | None, list[ConfigError]]:
    what = f"the profile {item['name']!r}" if item.get("name") else f"profile {number}"
    problems = list(_unknown(item, what))
    values: dict[str, Any] = {}
    for key in filter(READ.__contains__, item):
        try:
            values[key] = READ[key](item[key])
        except ConfigError as error:
            problems.append(ConfigError(f"{what}: {key}: {error.what}", fix=error.fix))
    if "name" not in item:
        problems.append(ConfigError(f"{what} has no name", fix="give it one: 'name': 'small'"))
    if "name" not in values:
        return None, problems
    values.setdefault("title", values["name"])
    return Profile(**values), problems


def _unknown(item: Mapping[str, Any], what: str) -> Iterator[ConfigError]:
    for key in item:
        if key not in READ:
            said = f"{what} has a key {key!r}, which nothing reads"
            yield ConfigError(said, fix=write_instead(str(key), READ))
