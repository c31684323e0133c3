"""The configuration as the checks see it: what was written, and what comes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from traitlets import HasTraits
from traitlets.config import Config

from greyhub.adapter import Adapter, Contribution, Finding
from greyhub.checks.classes import Readers, options, resolve, sections
from greyhub.checks.dry_instances import dry_instance
from greyhub.checks.provenance import Location, Trace
from greyhub.checks.values import Flaw
from greyhub.merge import Origin

COMMAND_LINE = "command line"


@dataclass
class Platform:
    """What the checks know."""

    written: Config
    """What the administrator wrote, the command line included."""

    config: Config
    """That, and what the adapters add."""

    adapters: Mapping[str, Adapter]
    """The adapter in each slot."""

    greyhub: HasTraits
    """The `greyhub.hub.GreyHub`."""

    contributions: Sequence[tuple[Origin, Contribution]]
    """What it and each adapter add."""

    hub: type
    """JupyterHub's application class."""

    application: Any = None
    """The application, if one is starting."""

    command_line: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trace: Trace | None = None
    broken: Collection[str] = ()
    """Slots whose value could not become an adapter."""

    def where(self, *path: str) -> str:
        """The place at which an option was set, for people; empty if unknown."""
        if self.command_line.get(path[0], {}).get(path[-1]) is not None:
            return COMMAND_LINE
        place = self.place(*path)
        return str(place) if place else ""

    def place(self, *path: str) -> Location | None:
        """The file and line at which an option was set."""
        return self.trace.find(*path) if self.trace else None

    def finding(
        self,
        level: Literal["note", "warning", "error"],
        path: Sequence[str],
        message: str,
        fix: str = "",
    ) -> Finding:
        """A finding about an option; what is written already is no way to mend it."""
        if fix == f"write {'.'.join(('c', *path))}":
            fix = ""
        return Finding(level, message, fix, ".".join(("c", *path)), self.where(*path))

    @cached_property
    def spawner(self) -> type | None:
        """The Spawner class in use."""
        return resolve(self.hub, "spawner_class", self._of_hub("spawner_class"))

    @cached_property
    def authenticator(self) -> type | None:
        """The Authenticator class in use."""
        return resolve(self.hub, "authenticator_class", self._of_hub("authenticator_class"))

    @cached_property
    def proxy(self) -> type | None:
        """The Proxy class in use."""
        return resolve(self.hub, "proxy_class", self._of_hub("proxy_class"))

    def _of_hub(self, option: str) -> Any:
        return self.config.get("JupyterHub", {}).get(option)

    @cached_property
    def readers(self) -> Readers:
        """The classes that read this configuration."""
        chosen = {
            "spawner": self.spawner,
            "authenticator": self.authenticator,
            "proxy": self.proxy,
            "hub": self.hub,
        }
        return Readers(
            {name: cls for name, cls in chosen.items() if cls is not None},
            [type(self.greyhub), *map(type, self.adapters.values())],
            self.config,
        )

    @cached_property
    def _made(self) -> dict[type, tuple[HasTraits, list[Flaw]]]:
        return {}

    def dry_instance(self, cls: type) -> HasTraits:
        """An object as the hub will make it; see `greyhub.checks.dry_instances`."""
        return self._dry_instance(cls)[0]

    def refusals(self, cls: type) -> list[Flaw]:
        """What the class's own validators have against its options."""
        return self._dry_instance(cls)[1]

    def _dry_instance(self, cls: type) -> tuple[HasTraits, list[Flaw]]:
        if cls not in self._made:
            outer = self.outer(cls)
            parent = self.application if "JupyterHub" in outer else None
            self._made[cls] = dry_instance(cls, self.config, parent=parent, outer=outer)
        return self._made[cls]

    def outer(self, cls: type) -> list[str]:
        """The sections inside of which a class reads its own, too."""
        parents = (self.hub, type(self.greyhub))
        return [
            name
            for parent in parents
            for name in sections(parent)
            if cls in self.readers.children(name)
        ]

    def value(self, section: str, option: str) -> Any:
        """What an option will be, under whichever section it is set; None if nothing reads it."""
        cls = self.readers.of(section, option)
        return getattr(self.dry_instance(cls), option, None) if cls else None

    def is_set(self, section: str, option: str) -> tuple[str, ...] | None:
        """The path under which the administrator set an option of a class in use."""
        cls = self.readers.of(section, option)
        for name in reversed(sections(cls)) if cls else ():
            if option in self.written.get(name, {}):
                return (name, option)
        return None

    def written_at(self, path: Sequence[str]) -> bool:
        """Whether the administrator wrote the option of this path."""
        part: Any = self.written
        for name in path:
            if name not in part:
                return False
            part = part[name]
        return True


__all__ = ["COMMAND_LINE", "Platform", "options"]
