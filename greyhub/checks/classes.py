"""Find the classes that read each section of the configuration.

A section of a config file is named for a class. It is read where that class, or
one made from it, is in use; for any other class it says nothing to anybody.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib.metadata import EntryPoint
from typing import Any

from traitlets import TraitError, TraitType
from traitlets.config import Config, Configurable

from greyhub.adapter import Adapter
from greyhub.imports import import_object, points
from greyhub.slots import SLOTS

GROUPS = ("jupyterhub.spawners", "jupyterhub.authenticators", "jupyterhub.proxies")
"""JupyterHub's own groups of entry points, whose classes have sections, too."""


def sections(cls: type) -> list[str]:
    """The sections that a class reads, the most general first."""
    names: list[str] = cls.section_names() if issubclass(cls, Configurable) else []
    return names


@cache
def options(cls: type) -> Mapping[str, TraitType[Any, Any]]:
    """The options of a class by name."""
    found: Mapping[str, TraitType[Any, Any]] = cls.class_traits(config=True)  # type: ignore[attr-defined]
    return found


class Readers:
    """The classes that read one composed configuration.

    Parameters
    ----------
    chosen : mapping of str to type
        The classes that fill a part: ``spawner``, ``authenticator``, ``proxy``, ``hub``.
    adapters : iterable of types
        The adapters in the slots, and `GreyHub`.
    config : Config
        Which may name further classes in its values.
    """

    def __init__(
        self, chosen: Mapping[str, type], adapters: Iterable[type], config: Config
    ) -> None:
        self.chosen, self.adapters, self.config = dict(chosen), list(adapters), config

    @cached_property
    def classes(self) -> list[type]:
        """All of them, the most important first."""
        found = [*self.adapters, *self.chosen.values(), *self._of_the_adapters()]
        found += self._of_the_hub()
        return list(dict.fromkeys(found))

    @cached_property
    def by_section(self) -> dict[str, list[type]]:
        """Section to the classes that read it."""
        found: dict[str, list[type]] = {}
        for cls in (*self.classes, *self._named()):
            for name in sections(cls):
                found.setdefault(name, []).append(cls)
        for cls in self._accompanying():
            for name in sections(cls):
                if name not in found and cls.__name__ == name:
                    found[name] = [cls]
        return found

    def _named(self) -> Iterator[type]:
        """Classes that the value of an option names, as text or itself: they are made from it.

        A ProfilesSpawner's profiles name spawners, and hand their configuration on.
        """
        for value in dict.fromkeys([*_names_in(self.config), *self._by_default()]):
            cls = named_class(value) if isinstance(value, str) else value
            if cls is not None and issubclass(cls, Configurable) and cls not in self.classes:
                yield cls

    def _by_default(self) -> Iterator[Any]:
        """Classes that own options of the chosen Spawner and Authenticator name by default."""
        for part in ("spawner", "authenticator"):
            cls = self.chosen.get(part)
            for trait in options(cls).values() if cls else ():
                if trait.this_class is cls:
                    yield from _names_in(trait.default_value)

    def of(self, section: str, option: str) -> type | None:
        """The class that reads this option, if one does."""
        readers = self.by_section.get(section, ())
        return next((cls for cls in readers if option in options(cls)), None)

    def children(self, section: str) -> list[type]:
        """The classes that also read their sections inside of this one."""
        adapters = [cls for cls in self.adapters if issubclass(cls, Adapter)]
        if any(section in sections(cls) for cls in self.adapters if cls not in adapters):
            return adapters  # a section inside of the platform's own
        hub = self.chosen.get("hub")
        if hub is None or section not in sections(hub):
            return []
        apart = {self.chosen.get("spawner"), hub, *self.adapters}
        return [cls for cls in self.classes if cls not in apart]

    @cached_property
    def unused(self) -> dict[str, type]:
        """Classes that are installed or imported and that nothing uses, by section."""
        return {
            name: cls
            for cls in _imported()
            if (name := cls.__name__) not in self.by_section and not name.startswith("_")
        }

    def _of_the_adapters(self) -> Iterator[type]:
        """What the adapters say that they read besides their own sections."""
        for adapter in self.adapters:
            for name in getattr(adapter, "reads", ()):
                if (cls := named_class(name)) is not None:
                    yield cls

    def _of_the_hub(self) -> Iterator[type]:
        """What JupyterHub makes for itself, whatever is chosen."""
        from jupyterhub import app, metrics
        from jupyterhub.crypto import CryptKeeper
        from jupyterhub.services.service import Service

        yield from (CryptKeeper, Service, metrics.PeriodicMetricsCollector)
        yield from (app.EventLogger, app.NewToken, app.UpgradeDB)
        if hasattr(app, "JupyterHubHTTPClient"):
            yield app.JupyterHubHTTPClient

    def _accompanying(self) -> Iterator[type]:
        """Classes from the packages of those in use, or that an option names.

        A reflector of KubeSpawner, the spawners inside of a ProfilesSpawner: there
        is no telling from outside whether they are made, so they may be set.
        """
        from jupyterhub.auth import Authenticator
        from jupyterhub.proxy import Proxy
        from jupyterhub.spawner import Spawner

        packages = {cls.__module__.partition(".")[0] for cls in self.classes}
        packages -= {"jupyterhub", "traitlets", "greyhub"}
        named = {_last(name) for name in _names_in(self.config)}
        for cls in _imported():
            part = issubclass(cls, Spawner | Authenticator | Proxy | Adapter)
            package = cls.__module__.partition(".")[0]
            if (
                cls.__name__ in named
                or cls in named
                or (not part and (package in packages or package not in _HUBS))
            ):
                yield cls


_HUBS = {"jupyterhub", "greyhub", "traitlets", "jupyter_events"}


def _imported() -> list[type]:
    found: dict[type, None] = {}
    waiting: list[type] = [Configurable]
    while waiting:
        cls = waiting.pop()
        if cls not in found:
            found[cls] = None
            waiting.extend(type.__subclasses__(cls))
    return list(found)


def _names_in(value: Any) -> Iterator[Any]:
    """Classes, and what reads like a class's import string, anywhere in a configuration."""
    if inspect.isclass(value) or (isinstance(value, str) and _IMPORT_STRING.match(value)):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _names_in(each)
    elif isinstance(value, list | tuple | set):
        for each in value:
            yield from _names_in(each)


_IMPORT_STRING = re.compile(r"[A-Za-z_]\w*(\.\w+)*[.:][A-Z]\w*$")


def _last(name: Any) -> Any:
    return re.split("[.:]", name)[-1] if isinstance(name, str) else name


def named_class(name: str) -> type | None:
    """The class that an import string names, if it is installed here."""
    try:
        found = import_object(name)
    except Exception:  # whoever uses the value says so
        return None
    return found if inspect.isclass(found) else None


def resolve(hub: type, option: str, value: Any) -> type | None:
    """The class that ``c.JupyterHub.<option>`` names, by default JupyterHub's own."""
    trait = options(hub)[option]
    if value is None:
        value = trait.default_value
    try:
        found = trait.validate(hub.__new__(hub), value)  # type: ignore[attr-defined,call-overload]
    except TraitError:
        return None
    return found if inspect.isclass(found) else None


def installed() -> Iterator[tuple[str, EntryPoint]]:
    """Every installed class with a section: its name, and its entry point. No import."""
    groups = (*GROUPS, *(slot.group for slot in SLOTS.values()))
    for group in groups:
        for point in points(group):
            yield point.value.replace(":", ".").rpartition(".")[2], point


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
