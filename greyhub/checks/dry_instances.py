"""Create instances of configurable classes with their options set and nothing started.

Spawners, authenticators and proxies reach for networks, clusters and files as
they are made. A dry instance is an object of the same class that was given its
options, went through the class's validators and observers, and did nothing else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traitlets import Bunch, HasTraits, TraitError
from traitlets.config import Application, Config
from traitlets.config.loader import LazyConfigValue

from greyhub.checks.additions import added
from greyhub.checks.classes import options, sections
from greyhub.checks.provenance import Names
from greyhub.checks.usable import Refused
from greyhub.checks.values import Flaw, convert, empty, settings, value_at
from greyhub.deferred_secrets import DeferredSecrets, defer_secrets, secrets_in
from greyhub.masking import shown
from greyhub.secret_names import is_secret

_silent = logging.getLogger("greyhub.checks")
_silent.propagate = False
_silent.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class DryInstance:
    """What a configuration makes of one class: each value is converted and validated once."""

    made: HasTraits
    """The object, with the options that its class takes."""

    settings: Mapping[str, tuple[Names, Any]]
    """Each option that is set: its path and its value, as they stand in the configuration."""

    flaws: Sequence[Flaw]
    """What the class does not take."""

    def sound(self, config: Config) -> Config:
        """The configuration for an object of the class: without what the class refuses.

        The checks refuse such a configuration in the end; until then it must be
        possible to go on and to find what else is wrong. Secrets inside of lists and
        mappings are read as the object is made.
        """
        cls = type(self.made)
        changes: dict[Names, Any] = {flaw.path: None for flaw in self.flaws}
        for section in sections(cls):
            for name, value in config.get(section, {}).items():
                if name not in options(cls) and not isinstance(value, Config):
                    changes[section, name] = None
        for name, (path, value) in self.settings.items():
            if path not in changes and (deferred := defer_secrets(value)) is not value:
                if isinstance(value, LazyConfigValue):
                    deferred = DeferredSecrets(added(value, getattr(empty(cls), name)))
                changes[path] = deferred
        return _changed(config, changes) if changes else config


def dry_instance(
    cls: type,
    config: Config,
    *,
    parent: Any = None,
    outer: Sequence[str] = (),
    written: Config | None = None,
) -> DryInstance:
    """A dry instance of a class, and what the class has against its options.

    Parameters
    ----------
    cls : type
        A configurable class.
    config : Config
        Everything that is set.
    parent : Configurable, optional
        The parent that the object will have.
    outer : sequence of str
        Sections inside of which its own sections are read, too.
    written : Config, optional
        What the administrator wrote: where others add to a value, both are looked at.
    """
    made = empty(cls)
    values = made._trait_values
    values["config"] = config
    if parent is not None:
        values["parent"] = parent
    if "log" in made.traits():
        values["log"] = _silent
    found: list[Flaw] = []
    held: dict[str, Any] = {}
    named = settings(cls, config, outer)
    for name, (path, value) in named.items():
        own = value_at(written, path, value) if written is not None else value
        for each in (value,) if own is value else (own, value):
            try:
                held[name] = convert(made, name, each)
            except Refused as refused:
                held.pop(name, None)
                if each is own and (path[0], name) not in _ELSEWHERE:
                    found.append(Flaw(path, refused.what, refused.fix))
    values.update(held)
    if issubclass(cls, Application):
        # Its observers act: they print, exit, set up logging. So do traitlets' own validators.
        apart = {"config_file", *Application.class_traits()}
        held = {name: value for name, value in held.items() if name not in apart}
        found += _validate(made, named, held, (_cross_validate,))
    else:
        found += _validate(made, named, held, (_cross_validate, _observe))
    return DryInstance(made, named, found)


_ELSEWHERE = {
    ("JupyterHub", name) for name in ("config_file", "spawner_class", "authenticator_class")
}
# The first is checked by the application, the others as the values of their slots.


def _validate(
    made: HasTraits,
    named: Mapping[str, tuple[Names, Any]],
    held: Mapping[str, Any],
    steps: Sequence[Callable[[HasTraits, str, Any], None]],
) -> Iterator[Flaw]:
    """Run what the class itself runs for options that are set."""
    for step in steps:
        for name, value in held.items():
            path, written = named[name]
            try:
                step(made, name, value)
            except (TraitError, ValueError, re.error) as error:
                yield Flaw(path, _told(name, value, written, error), getattr(error, "fix", ""))
            except Exception:  # noqa: S112
                # It needs what only a whole object has; the start will tell.
                continue


def _told(name: str, value: Any, written: Any, error: Exception) -> str:
    """An error in one line, without a secret that is, or is in, the value."""
    said = " ".join(str(error).split())
    if isinstance(error, re.error):
        said = f"{shown(value, name)} is no regular expression: {said}"
    parts = [secret.content()[0] for secret in secrets_in(written)]
    if is_secret(name):
        parts += map(str, value if isinstance(value, list | tuple | set | dict) else [value])
    return "its class does not take this value" if any(p and p in said for p in parts) else said


def _cross_validate(made: HasTraits, name: str, value: Any) -> None:
    trait = made.traits()[name]
    made._trait_values[name] = trait._cross_validate(made, value)


def _observe(made: HasTraits, name: str, value: Any) -> None:
    change = Bunch(
        name=name,
        old=made.traits()[name].default_value,
        new=made._trait_values[name],
        owner=made,
        type="change",
    )
    made.notify_change(change)


def _changed(config: Config, changes: Mapping[Names, Any]) -> Config:
    """A copy with other values under some paths; None removes what is there."""
    copy = Config()
    for key, value in config.items():
        inner = {path[1:]: each for path, each in changes.items() if path[0] == key}
        if () in inner:
            value = inner[()]
            if value is None:
                continue
        elif inner:
            value = _changed(value, inner)
        dict.__setitem__(copy, key, value)
    return copy
