"""The composed configuration: what was written, what was added, which class reads what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from traitlets import HasTraits
from traitlets.config import Config

from greyhub.adapter import Adapter, Finding
from greyhub.checks.classes import Readers, resolve, sections
from greyhub.checks.dry_instances import DryInstance, dry_instance
from greyhub.checks.provenance import Location, Names, Trace
from greyhub.checks.values import MISSING, Flaw, value_at
from greyhub.merge import Offer

COMMAND_LINE = "command line"


@dataclass
class Platform:
    """A composed configuration, and the classes that read it."""

    written: Config
    """What the administrator wrote, the command line included."""

    config: Config
    """That, and what the adapters add."""

    adapters: Mapping[str, Adapter]
    """The adapter in each slot."""

    greyhub: HasTraits
    """The `greyhub.hub.GreyHub`."""

    offers: Mapping[Names, Sequence[Offer]]
    """Who adds to an option, by the option's path; see `greyhub.merge.Merged`."""

    hub_class: type
    """JupyterHub's application class."""

    application: Any = None
    """The application, if one is starting."""

    command_line: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trace: Trace | None = None
    dry_instances: dict[type, DryInstance] = field(default_factory=dict)
    """Those that there are already: greyhub and its adapters are made before the merge."""

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
        """A finding about an option; what is written already is no way to fix it."""
        if fix == f"write {'.'.join(('c', *path))}":
            fix = ""
        return Finding(level, message, fix, ".".join(("c", *path)), self.where(*path))

    @cached_property
    def spawner(self) -> type | None:
        """The Spawner class in use."""
        return self._chosen("spawner_class")

    @cached_property
    def authenticator(self) -> type | None:
        """The Authenticator class in use."""
        return self._chosen("authenticator_class")

    @cached_property
    def proxy(self) -> type | None:
        """The class of the proxy in use."""
        return self._chosen("proxy_class")

    @cached_property
    def authenticators(self) -> Mapping[str, Any]:
        """What decides who may log in, by the provider's name; by an empty one if it is one."""
        adapter: Any = self.adapters.get("auth")
        several: Mapping[str, Any] = getattr(adapter, "dry_authenticators", dict)()
        return several or {"": self.authenticator and self.dry_instance(self.authenticator)}

    def _chosen(self, option: str) -> type | None:
        return resolve(self.hub_class, option, self.config.get("JupyterHub", {}).get(option))

    @cached_property
    def readers(self) -> Readers:
        """The classes that read this configuration."""
        chosen = {
            "spawner": self.spawner,
            "authenticator": self.authenticator,
            "proxy": self.proxy,
            "hub": self.hub_class,
        }
        return Readers(
            {name: cls for name, cls in chosen.items() if cls is not None},
            [type(self.greyhub), *map(type, self.adapters.values())],
            self.config,
        )

    def dry_instance(self, cls: type) -> HasTraits:
        """An object as the hub will make it; see `greyhub.checks.dry_instances`."""
        return self._dry_instance(cls).made

    def settings(self, cls: type) -> Mapping[str, tuple[Names, Any]]:
        """The options of a class that are set: name to path and value."""
        return self._dry_instance(cls).settings

    def flaws(self, cls: type) -> Sequence[Flaw]:
        """What the class does not take of its options."""
        return self._dry_instance(cls).flaws

    def _dry_instance(self, cls: type) -> DryInstance:
        if cls not in self.dry_instances:
            outer = self.outer(cls)
            parent = self.application if "JupyterHub" in outer else None
            self.dry_instances[cls] = dry_instance(
                cls, self.config, parent=parent, outer=outer, written=self.written
            )
        return self.dry_instances[cls]

    def outer(self, cls: type) -> list[str]:
        """The sections inside of which a class reads its own, too."""
        parents = (self.hub_class, type(self.greyhub))
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

    def is_set(self, section: str, option: str) -> Names | None:
        """The path under which the administrator set an option of a class in use."""
        cls = self.readers.of(section, option)
        path, _ = self.settings(cls).get(option, ((), None)) if cls else ((), None)
        return path if path and self.written_at(path) else None

    def written_at(self, path: Names) -> bool:
        """Whether the administrator wrote the option of this path."""
        return value_at(self.written, path) is not MISSING
