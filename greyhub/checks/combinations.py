"""Check options and slots against each other, by the rules of `greyhub.checks.rules`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from greyhub.adapter import Finding
from greyhub.checks.facts import FACTS, holds
from greyhub.checks.platform import Platform
from greyhub.checks.rules import EXCLUSIVE, EXISTING, REQUIRED, RULES
from greyhub.class_names import made_from


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about options and slots that do not go together."""
    for rule in RULES:
        if all(holds(platform, name) for name in rule.when) and not holds(platform, rule.needs):
            fix = rule.fix or FACTS[rule.needs].fix
            path = platform.is_set(*rule.option) or rule.option
            yield platform.finding(rule.level, path, rule.because, fix)
    yield from _needs(platform)
    yield from _exclusive(platform)
    yield from _required(platform)
    yield from _existing(platform)
    yield from _callback(platform)


def _needs(platform: Platform) -> Iterator[Finding]:
    """What the adapters in the slots say that they need."""
    for slot, adapter in platform.adapters.items():
        for name, because in adapter.needs.items():
            path = ("GreyHub", slot)
            who = type(adapter).__name__
            if name.removeprefix("not ") not in FACTS:
                yield platform.finding(
                    "error",
                    path,
                    f"{who} needs {name!r}, which no rule knows",
                    f"its author names one of: {', '.join(FACTS)}",
                )
            elif not holds(platform, name):
                fact = FACTS[name.removeprefix("not ")]
                means = f"it is not so that {fact.means}" if fact.name == name else fact.means
                fix = fact.fix if fact.name == name else ""
                yield platform.finding(
                    "error",
                    path,
                    f"{who} cannot work here: {because}, and {means}",
                    f"{fix + ', or ' if fix else ''}choose another c.GreyHub.{slot}",
                )


def _exclusive(platform: Platform) -> Iterator[Finding]:
    for pair in EXCLUSIVE:
        one, other = platform.is_set(*pair.one), platform.is_set(*pair.other)
        if one and other and not _agree(platform, one, other):
            names = f"c.{'.'.join(one)} and c.{'.'.join(other)}"
            yield platform.finding(
                "error", other, f"{names} exclude each other: {pair.because}", "keep one of the two"
            )


def _agree(platform: Platform, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Both say the same, or one of them says nothing."""
    first, second = (platform.written[path[0]][path[-1]] for path in (one, other))
    if not first or not second:
        return other[-1] not in ("ip", "port", "base_url")
    if other[-1] not in ("ip", "port", "base_url"):
        return False
    url = urlparse(str(first))
    said: Any = {
        "ip": url.hostname or "",
        "port": url.port,
        "base_url": url.path.strip("/"),
    }[other[-1]]
    return str(said) == str(second).strip("/")


def _required(platform: Platform) -> Iterator[Finding]:
    for required in REQUIRED:
        for cls in (platform.authenticator, platform.spawner):
            if cls is None or not made_from(cls, required.cls):
                continue
            if getattr(cls, "holds_others", False):
                continue  # which have the options, each its own
            for option in required.options:
                section = cls.__name__
                if platform.readers.of(section, option) is None:
                    continue
                # An empty secret that was written down is a public client's.
                if not platform.is_set(section, option) and not platform.value(section, option):
                    yield platform.finding(
                        "error",
                        (section, option),
                        f"{section} cannot work without it",
                        f"set c.{section}.{option}",
                    )
    for slot, adapter in platform.adapters.items():
        for option in adapter.traits(required=True):
            if not getattr(adapter, option):
                section = type(adapter).__name__
                configurable = option in adapter.traits(config=True)
                yield platform.finding(
                    "error",
                    (section, option) if configurable else ("GreyHub", slot),
                    f"{section} cannot work without {option}",
                    f"set c.{section}.{option}" if configurable else "name what it adapts instead",
                )


def _existing(platform: Platform) -> Iterator[Finding]:
    for existing in EXISTING:
        path = platform.is_set(*existing.option)
        if path is None:
            continue
        value = platform.value(*existing.option)
        base = getattr(platform.greyhub, "directory", Path())
        for name in value if isinstance(value, list) else [value]:
            if not name:
                continue
            file = Path(name).expanduser()
            if existing.option[0] not in ("JupyterHub",):
                file = base / file
            if not (file.is_file() if existing.kind == "file" else file.is_dir()):
                yield platform.finding(
                    "error",
                    path,
                    f"there is no {existing.kind} {file}",
                    "fix the path, or put it there",
                )
            elif not os.access(file, os.R_OK | (0 if file.is_file() else os.X_OK)):
                yield platform.finding(
                    "error",
                    path,
                    f"no right to read {file}",
                    "let the hub's account read it",
                )


def _callback(platform: Platform) -> Iterator[Finding]:
    """An OAuth provider sends users back to a page of this hub."""
    if not made_from(platform.authenticator, "OAuthenticator"):
        return
    path = platform.is_set("OAuthenticator", "oauth_callback_url")
    url = platform.value("OAuthenticator", "oauth_callback_url") if path else ""
    if not path or not url:
        return
    parsed = urlparse(str(url))
    if parsed.scheme not in ("http", "https") or not parsed.netloc:
        yield platform.finding(
            "error", path, f"{url!r} is no URL", "write https://…/hub/oauth_callback"
        )
    elif not parsed.path.endswith("/hub/oauth_callback"):
        yield platform.finding(
            "error",
            path,
            f"{url!r} is no page of the hub: users would not come back from the provider",
            f"write {parsed.scheme}://{parsed.netloc}/hub/oauth_callback, with the hub's "
            "base_url before /hub",
        )
