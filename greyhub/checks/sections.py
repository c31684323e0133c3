"""Check that every section and option is read by some class."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

from traitlets.config import Config

from greyhub.adapter import Finding
from greyhub.checks.classes import options, sections
from greyhub.checks.near_names import rather
from greyhub.checks.platform import Platform
from greyhub.checks.unread_sections import FORMER, unread


def check(platform: Platform) -> Iterator[Finding]:
    """Findings about sections and options that nothing reads."""
    for section, values in platform.written.items():
        if isinstance(values, Config):
            yield from _section(platform, section, values)
        else:
            yield _stray(platform, section, values)


def _stray(platform: Platform, name: str, value: Any) -> Finding:
    """An option outside of a section: ``c.port = 8000``, ``c.jupyterhub.port = 8000``."""
    known = platform.readers.by_section
    title = next((section for section in known if section.lower() == name.lower()), "")
    owner = _owner(platform, name)
    if title:
        fix = f"write c.{title}"
    elif owner:
        fix = f"write c.{owner}.{name}"
    else:
        fix = "write the section that it belongs to: c.Section.option = value"
    what = "a section begins with a capital letter" if title else "this option stands in no section"
    return platform.finding("error", [name], f"{what}, so nothing reads it", fix)


def _section(platform: Platform, section: str, values: Config) -> Iterator[Finding]:
    readers = platform.readers
    other = getattr(platform.greyhub, "other_sections", ())
    if section in other or section == "JupyterHubApp":  # of which JupyterHub itself warns
        return
    if new := FORMER.get(section):
        for option in values:
            path, said = (section, option), f"the section {section} is called {new} now"
            yield platform.finding("warning", path, said, f"write c.{new}.{option}")
    if section in readers.by_section:
        for option, value in values.items():
            if isinstance(value, Config):
                yield from _nested(platform, section, option, value)
                continue
            cls = readers.of(section, option)
            if cls is not None:
                yield from _deprecated(platform, cls, section, option)
            elif (section, option) != ("GreyHub", "composed"):
                yield _unknown_option(platform, section, option)
    elif values:
        yield from unread(platform, section, values)


def _nested(platform: Platform, outer: str, section: str, values: Config) -> Iterator[Finding]:
    """``c.JupyterHub.Spawner.cmd``: read only by objects that JupyterHub itself creates."""
    children = [cls for cls in platform.readers.children(outer) if section in sections(cls)]
    for option, value in values.items():
        path = (outer, section, option)
        if not children:
            known = platform.readers.of(section, option) is not None
            fix = f"write c.{section}.{option}" if known else ""
            yield platform.finding("error", path, f"nothing reads {section} inside of {outer}", fix)
        elif not isinstance(value, Config) and not any(option in options(cls) for cls in children):
            names = set().union(*(options(cls) for cls in children))
            fix = rather(f"{outer}.{section}", option, names)
            yield platform.finding("error", path, f"{section} has no option {option}", fix)


def _deprecated(platform: Platform, cls: type, section: str, option: str) -> Iterator[Finding]:
    trait = options(cls)[option]
    if new := trait.metadata.get("renamed"):
        said, fix = f"{option} is called {new} now", f"write c.{section}.{new}"
        yield platform.finding("warning", (section, option), said, fix)
        return
    said = " ".join((trait.help or "").split())
    if re.match(r"(\[|pending )?deprecat", said, re.IGNORECASE):
        yield platform.finding(
            "note", (section, option), f"still works, and is deprecated: {said[:120]}"
        )


def _unknown_option(platform: Platform, section: str, option: str) -> Finding:
    readers = platform.readers.by_section[section]
    names = {name for cls in readers for name in options(cls)}
    cls = readers[0]
    path = (section, option)
    if any(option in reader.class_traits() for reader in readers):  # type: ignore[attr-defined]
        return platform.finding(
            "error", path, f"{option} of {cls.__name__} is not an option", "remove this line"
        )
    renamed = getattr(cls, "_deprecated_aliases", {}).get(option)
    if renamed:
        fix = f"write c.{section}.{renamed[0]}"
        return platform.finding("error", path, f"{option} has had another name for long", fix)
    close = difflib.get_close_matches(option, names, n=1, cutoff=0.75)
    owner = _owner(platform, option)
    what = f"{_called(section, cls)} has no option {option}"
    if owner and not (close and close[0].replace("_", "") == option.replace("_", "")):
        return platform.finding("error", path, what, f"write c.{owner}.{option}")
    return platform.finding(
        "error",
        path,
        what,
        rather(section, option, names)
        or f"remove it, or see the options of {cls.__name__}: jupyterhub --help-all",
    )


def _called(section: str, cls: type) -> str:
    return section if section == cls.__name__ else f"{cls.__name__}, which reads c.{section},"


def _owner(platform: Platform, option: str) -> str:
    """The section in use that has an option of this name."""
    for cls in [platform.hub_class, *platform.readers.classes]:
        if option in options(cls):
            bases = [base for base in cls.__mro__ if option in getattr(base, "__dict__", {})]
            name: str = (bases or [cls])[-1].__name__
            return name
    return ""
