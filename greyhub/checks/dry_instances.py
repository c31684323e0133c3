"""Instances of configurable classes with their options set and nothing started.

Spawners, authenticators and proxies reach for networks, clusters and files as
they are made. A dry instance is an object of the same class that was given its
options, went through the class's validators and observers, and did nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from traitlets import Bunch, HasTraits, TraitError
from traitlets.config import Application, Config

from greyhub.checks.classes import options, sections
from greyhub.checks.usable import Refused
from greyhub.checks.values import Flaw, convert, empty, flaws, settings
from greyhub.secret_names import is_secret

_silent = logging.getLogger("greyhub.checks")
_silent.propagate = False
_silent.addHandler(logging.NullHandler())


def dry_instance(
    cls: type, config: Config, *, parent: Any = None, outer: Sequence[str] = ()
) -> tuple[HasTraits, list[Flaw]]:
    """A dry instance of a class, and what its validators have against it.

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
    """
    made = empty(cls)
    values = made._trait_values
    values["config"] = config
    if parent is not None:
        values["parent"] = parent
    if "log" in made.traits():
        values["log"] = _silent
    found: list[Flaw] = []
    held: dict[str, tuple[tuple[str, ...], Any]] = {}
    for name, (path, value) in settings(cls, config, outer).items():
        try:
            held[name] = path, convert(made, name, value)
        except Refused:
            continue  # said by `greyhub.checks.values.flaws`
    values.update({name: value for name, (_, value) in held.items()})
    # An application's validators and observers act: they print, exit, set up logging.
    if not issubclass(cls, Application):
        found.extend(_validate(made, held))
    return made, found


def _validate(made: HasTraits, held: dict[str, tuple[tuple[str, ...], Any]]) -> list[Flaw]:
    """Run what the class itself runs for options that are set."""
    found = []
    for step in (_cross_validate, _observe):
        for name, (path, value) in held.items():
            try:
                step(made, name, value)
            except (TraitError, ValueError) as error:
                found.append(Flaw(path, _told(name, value, error)))
            except Exception:  # noqa: S112
                # It needs what only a whole object has; the start will tell.
                continue
    return found


def _told(name: str, value: Any, error: Exception) -> str:
    said = " ".join(str(error).split())
    parts = value if isinstance(value, list | tuple | set | dict) else [value]
    if is_secret(name) and any(str(part) in said for part in parts):
        return "its class does not take this value"
    return said


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


def sound(cls: type, config: Config, outer: Sequence[str] = ()) -> Config:
    """A configuration without what a class does not know or take in its own sections.

    The checks refuse such a configuration in the end; until then it must be
    possible to go on and to find what else is wrong.
    """
    wrong = {flaw.path for flaw in flaws(cls, config, outer)}
    wrong |= {flaw.path for flaw in dry_instance(cls, config, outer=outer)[1]}
    wrong |= {
        (section, name)
        for section in sections(cls)
        for name, value in config.get(section, {}).items()
        if name not in options(cls) and not isinstance(value, Config)
    }
    return _without(config, wrong) if wrong else config


def _without(config: Config, paths: set[tuple[str, ...]]) -> Config:
    copy = Config()
    for key, value in config.items():
        if (key,) in paths:
            continue
        inner = {path[1:] for path in paths if path[0] == key and len(path) > 1}
        dict.__setitem__(copy, key, _without(value, inner) if inner else value)
    return copy
