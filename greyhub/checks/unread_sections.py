"""What a section is that no class in use reads, and where it would be read."""

from __future__ import annotations

from collections.abc import Iterator

from traitlets.config import Config

from greyhub.adapter import Adapter, Finding
from greyhub.checks.classes import brought_class, installed, named_class, options, sections
from greyhub.checks.near_names import nearest, rather
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


def unread(platform: Platform, section: str, values: Config) -> Iterator[Finding]:
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
    close = nearest(section, today) or nearest(section, [*readers.unused, *names])
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


def _not_in_use(platform: Platform, path: tuple[str, str], cls: type) -> Iterator[Finding]:
    own = issubclass(cls, Adapter) or cls.__module__.partition(".")[0] == "greyhub"
    slot, used = _instead(platform, cls)
    if slot in platform.broken:  # it may be what was meant for the slot, which is refused
        if path[1] not in options(cls):
            fix = rather(path[0], path[1], options(cls))
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
