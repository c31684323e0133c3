"""The five slots, and how the value of one becomes an adapter.

A value is the name of an entry point, an import string, a class, or whatever
the slot's open API already speaks: a Spawner, a URL, a catalogue's path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

from greyhub.adapter import Adapter
from greyhub.addresses import WrongAddress
from greyhub.errors import AdapterError
from greyhub.imports import import_object, points
from greyhub.masking import masked
from greyhub.wording import did_you_mean


@dataclass(frozen=True)
class Slot:
    """One slot: its option, its entry points and the base of its adapters."""

    name: str
    group: str
    base: str

    def adapters(self) -> dict[str, EntryPoint]:
        """The installed adapters by name. Nothing is imported."""
        return {point.name: point for point in points(self.group)}

    def load_base(self) -> type[Adapter]:
        """The slot's base class."""
        base: type[Adapter] = import_object(self.base)
        return base


SLOTS: dict[str, Slot] = {
    slot.name: slot
    for slot in (
        Slot("spawner", "greyhub.spawners", "greyhub.spawners:SpawnerAdapter"),
        Slot("cluster", "greyhub.clusters", "greyhub.clusters:ClusterAdapter"),
        Slot("auth", "greyhub.auth", "greyhub.auth:AuthAdapter"),
        Slot("homespace", "greyhub.homespace", "greyhub.homespace:HomespaceAdapter"),
        Slot("data", "greyhub.data", "greyhub.data:DataAdapter"),
    )
}

FLAVOURS = "greyhub.flavours"
"""The group of entry points that name one adapter for each slot."""


def choose(slot: Slot, value: object) -> tuple[type[Adapter], Mapping[str, Any]]:
    """The adapter class for the value of a slot's option, and options it implies.

    Raises
    ------
    greyhub.errors.AdapterError
        There is no such adapter, or it cannot be imported; says what there is.
    """
    base = slot.load_base()
    option = f"c.GreyHub.{slot.name}"
    if isinstance(value, str):
        installed = slot.adapters()
        if value in installed:
            value = _load(option, value, installed[value])
        elif (options := _opened(option, base, value)) is not None:
            return base, options
        else:
            value = _import(option, value, installed)
    if isinstance(value, type) and issubclass(value, base):
        return value, {}
    if (options := _opened(option, base, value)) is not None:
        return base, options
    raise AdapterError(
        f"{value!r} cannot fill this slot",
        where=option,
        fix=f"give {base.__name__}'s subclass, {_alternatives(slot.adapters())}",
    )


def _opened(option: str, base: type[Adapter], value: object) -> Mapping[str, Any] | None:
    try:
        return base.opens(value)
    except WrongAddress as wrong:
        raise AdapterError(wrong.what, where=option, fix=wrong.fix) from None


def flavour(name: str) -> Mapping[str, object]:
    """The adapters that a flavour names, by slot."""
    installed = {point.name: point for point in points(FLAVOURS)}
    if name not in installed:
        raise AdapterError(
            f"there is no flavour {name!r}{did_you_mean(name, installed)}",
            where="c.GreyHub.flavour",
            fix=f"choose {_alternatives(installed)}",
        )
    names: Mapping[str, object] = _load("c.GreyHub.flavour", name, installed[name])
    return names


def label(value: object) -> str:
    """The value of a slot for people, without a password that is in it."""
    text = value if isinstance(value, str) else getattr(value, "__name__", repr(value))
    return str(masked(text))


def _load(option: str, name: str, point: EntryPoint) -> Any:
    source = f" (from {point.dist.name} {point.dist.version})" if point.dist else ""
    try:
        return point.load()
    except Exception as error:
        raise _unusable(option, f"{name!r}{source}", error) from error


def _import(option: str, value: str, installed: Mapping[str, EntryPoint]) -> Any:
    if not ("." in value or ":" in value):
        raise AdapterError(
            f"there is no adapter {value!r}{did_you_mean(value, installed)}",
            where=option,
            fix=f"choose {_alternatives(installed)}, or install the package that brings it",
        )
    try:
        return import_object(value)
    except Exception as error:
        raise _unusable(option, repr(value), error) from error


def _unusable(option: str, name: str, error: Exception) -> AdapterError:
    if isinstance(error, ModuleNotFoundError):
        return AdapterError(
            f"{name} needs {error.name}, which is not installed",
            where=option,
            fix=f"pip install the package that brings {error.name} in the hub's environment, "
            "or fix the name",
        )
    return AdapterError(
        f"{name} could not be imported: {type(error).__name__}: {error}",
        where=option,
        fix="fix or reinstall that package, or choose another adapter",
    )


def _alternatives(installed: Mapping[str, EntryPoint]) -> str:
    return f"one of: {', '.join(sorted(installed))}, or an import string"
