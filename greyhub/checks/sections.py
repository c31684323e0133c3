"""Check that every section and option is read by some class."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from traitlets.config import Config

from greyhub.adapter import Adapter, Finding
from greyhub.checks.classes import installed, named_class, options, sections
from greyhub.checks.platform import Platform
from greyhub.slots import SLOTS

IN_THE_SERVER = {
    "ServerApp",
    "NotebookApp",
    "LabApp",
    "LabServerApp",
    "JupyterApp",
    "JupyterNotebookApp",
    "ExtensionApp",
    "SingleUserNotebookApp",
    "SingleUserServerApp",
    "SingleUserLabApp",
    "ContentsManager",
    "FileContentsManager",
    "KernelManager",
    "MappingKernelManager",
    "MultiKernelManager",
    "ResourceUseDisplay",
    "IPKernelApp",
    "InteractiveShellApp",
    "TerminalManager",
    "ServerProxy",
    "CullingKernelManager",
}
"""Sections of the programs in the user's server, which do not read the hub's file."""


FORMER = {"HomeAdapter": "HomespaceAdapter", "LocalHome": "LocalHomespace"}
"""Sections by names that they had; they are read in this version still."""


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
        yield from _unread(platform, section, values)


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
            fix = _rather(f"{outer}.{section}", option, names)
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
        _rather(section, option, names)
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


def _unread(platform: Platform, section: str, values: Config) -> Iterator[Finding]:
    """A section for which there is no class in use."""
    option = next(iter(values))
    path = (section, option)
    readers = platform.readers
    if section in IN_THE_SERVER:
        yield platform.finding(
            "error",
            path,
            f"{section} runs in the user's server, which does not read this file",
            "give it on the server's command line, "
            f"c.Spawner.args = ['--{section}.{option}=…'], or in a jupyter_server_config.py "
            "where the servers run",
        )
        return
    unused = _unused(platform, section)
    if unused is not None:
        yield from _not_in_use(platform, path, unused)
        return
    names = [name for name, _ in installed()]
    today = [name for name in readers.by_section if name not in FORMER]
    close = _close(section, today) or _close(section, [*readers.unused, *names])
    if close:
        yield platform.finding(
            "error", path, f"there is no section {section}", f"write c.{close}.{option}"
        )
    elif not platform.broken:  # otherwise it may belong to what could not be loaded
        yield platform.finding(
            "error",
            path,
            f"there is no section {section}: no class of this name is in use or installed",
            "remove it, install the package that brings it, or name it in "
            "c.GreyHub.other_sections if another program reads this file",
        )


def _unused(platform: Platform, section: str) -> type | None:
    """The class of a section that nothing uses, imported if it must be."""
    found = platform.readers.unused.get(section)
    if found is not None:
        return found
    for slot in SLOTS.values():
        for point in slot.adapters().values():
            try:
                adapter = point.load()
            except Exception:  # noqa: S112
                continue  # `greyhub adapters` says why it cannot be used
            parts: list[type | None] = [adapter, brought_class(adapter)]
            for cls in (*parts, *map(named_class, getattr(adapter, "reads", ()))):
                if cls is not None and section in sections(cls)[-1:]:
                    return cls
    return None


def brought_class(adapter: Any) -> type | None:
    """The Spawner or Authenticator class that an adapter brings, with options of its own."""
    load = getattr(adapter, "load_class", None)
    if load is None:
        return None
    try:
        found = load(adapter.__new__(adapter))
    except Exception:
        return None
    return found if isinstance(found, type) else None


def _not_in_use(platform: Platform, path: tuple[str, str], cls: type) -> Iterator[Finding]:
    own = issubclass(cls, Adapter) or cls.__module__.partition(".")[0] == "greyhub"
    slot, used = _instead(platform, cls)
    if slot in platform.broken:  # it may be what was meant for the slot, which is refused
        if path[1] not in options(cls):
            fix = _rather(path[0], path[1], options(cls))
            yield platform.finding("error", path, f"{cls.__name__} has no option {path[1]}", fix)
        return
    if slot:
        because = f"the {slot} slot holds {used}" if used else f"the {slot} slot is empty"
        fix = f"remove the line, or set c.GreyHub.{slot} to what uses {cls.__name__}"
    else:
        because, fix = "nothing in the hub makes one", "remove the line"
    yield platform.finding(
        "error" if own else "warning", path, f"{cls.__name__} is not in use: {because}", fix
    )


def _instead(platform: Platform, cls: type) -> tuple[str, str]:
    """The slot that a class could fill, and what fills it."""
    from jupyterhub.auth import Authenticator
    from jupyterhub.proxy import Proxy
    from jupyterhub.spawner import Spawner

    if issubclass(cls, Spawner):
        return "spawner", getattr(platform.spawner, "__name__", "")
    if issubclass(cls, Authenticator):
        return "auth", getattr(platform.authenticator, "__name__", "")
    if issubclass(cls, Proxy):
        return "", ""
    if issubclass(cls, Adapter) and cls.slot:
        adapter = platform.adapters.get(cls.slot)
        return cls.slot, type(adapter).__name__ if adapter else ""
    return "", ""


def _rather(section: str, option: str, names: Iterable[str]) -> str:
    close = _close(option, names)
    return f"write c.{section}.{close}" if close else ""


_KINDS = ("oauthenticator", "authenticator", "spawner", "adapter", "proxy")


def _close(name: str, names: Iterable[str]) -> str:
    """The nearest of some names, whatever their capitals and underscores.

    Two spawners are not near to each other for both being called Spawner.
    """
    wanted, kind = _stem(name)
    plain = {_stem(each)[0]: each for each in names if _stem(each)[1] == kind}
    close = difflib.get_close_matches(wanted, plain, n=1, cutoff=0.72)
    if not close and kind:
        whole = {each.lower(): each for each in names}
        close = difflib.get_close_matches(name.lower(), whole, n=1, cutoff=0.9)
        plain = whole
    return plain[close[0]] if close else ""


def _stem(name: str) -> tuple[str, str]:
    """A name without what it has in common with others of its kind, and the kind."""
    plain = name.lower().replace("_", "")
    kind = next((kind for kind in _KINDS if plain.endswith(kind) and plain != kind), "")
    return plain.removesuffix(kind), kind
