"""Lists, mappings and additions with secrets in them, which are read when a trait is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traitlets import TraitType
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from greyhub.secrets import Secret, StorageOptions


class DeferredSecrets(DeferredConfig):
    """A list or mapping with secrets in it, which are read when the value is asked for."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def get_value(self, trait: TraitType[Any, Any]) -> Any:
        """The value with its secrets, or with references where the trait keeps these."""
        return self.value if isinstance(trait, StorageOptions) else read_secrets(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


class LazySecrets(LazyConfigValue):
    """What ``append`` and ``update`` add to an option, with secrets in it."""

    def get_value(self, initial: Any) -> Any:
        """The option with its additions and their secrets."""
        return read_secrets(super().get_value(initial))


def defer_secrets(value: Any) -> Any:
    """A value of a configuration whose secrets traitlets reads when it sets a trait."""
    if isinstance(value, Secret | DeferredSecrets) or not any(True for _ in secrets_in(value)):
        return value
    if not isinstance(value, LazyConfigValue):
        return DeferredSecrets(value)
    deferred = LazySecrets()
    for part in ("_extend", "_prepend", "_inserts", "_update"):
        setattr(deferred, part, getattr(value, part))
    return deferred


def read_secrets(value: Any) -> Any:
    """A value with the secrets inside of it read."""
    if isinstance(value, Secret):
        return value.read()
    if isinstance(value, DeferredSecrets):
        return read_secrets(value.value)
    if isinstance(value, Mapping):
        return {key: read_secrets(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return type(value)(read_secrets(each) for each in value)
    return value


def secrets_in(value: Any) -> Iterator[Secret]:
    """Every `Secret` inside of a value."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, DeferredSecrets):
        yield from secrets_in(value.value)
    elif isinstance(value, LazyConfigValue):
        for part in (value._extend, value._prepend, value._inserts, value._update):
            yield from secrets_in(part)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from secrets_in(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from secrets_in(each)
