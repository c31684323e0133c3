"""Check the value of every option with its own trait.

The trait itself is asked, as it will be when the object is made: types, ranges
and choices are what the class says they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traitlets import HasTraits, TraitError
from traitlets.config import Config
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from greyhub.checks.additions import added, refuse_ignored
from greyhub.checks.classes import options, sections
from greyhub.checks.provenance import Names
from greyhub.checks.usable import Refused, refuse_unusable
from greyhub.checks.value_messages import fix, told
from greyhub.deferred_secrets import read_secrets, secrets_in
from greyhub.errors import ConfigError
from greyhub.secret_names import is_secret
from greyhub.secrets import Secret, StorageOptions


@dataclass(frozen=True)
class Flaw:
    """An option whose value its class does not take."""

    path: Names
    what: str
    fix: str = ""


def settings(cls: type, config: Config, outer: Sequence[str] = ()) -> dict[str, tuple[Names, Any]]:
    """The options of a class that a configuration sets: name to path and value.

    The most specific section stands, and one inside of ``outer`` above all.
    """
    found: dict[str, tuple[Names, Any]] = {}
    known = options(cls)
    for prefix in ((), *((name,) for name in outer)):
        part: Any = config
        for name in prefix:
            part = part.get(name, {})
        for section in sections(cls):
            values = part.get(section, {})
            for name, value in values.items() if isinstance(values, Mapping) else ():
                if name in known:
                    found[name] = ((*prefix, section, name), value)
    return found


MISSING = object()


def value_at(config: Config, path: Names, default: Any = MISSING) -> Any:
    """What a configuration holds under the names of a path."""
    part: Any = config
    for name in path:
        if not isinstance(part, Mapping) or name not in part:
            return default
        part = part[name]
    return part


def empty(cls: type) -> HasTraits:
    """An object of a class without its ``__init__``: traits and defaults alone."""
    made: HasTraits = cls.__new__(cls)  # type: ignore[call-overload]
    return made


def convert(blank: HasTraits, name: str, value: Any) -> Any:
    """The value as the trait will hold it.

    Raises
    ------
    Refused
        The trait does not take it.
    """
    trait = options(type(blank))[name]
    refuse_ignored(trait, name, value)
    secret = value if isinstance(value, Secret) else None
    referred = isinstance(trait, StorageOptions) and secret is None
    held = not referred and any(True for _ in secrets_in(value))
    try:
        if isinstance(value, LazyConfigValue):
            value = added(value, getattr(blank, name))
        if isinstance(value, DeferredConfig):
            value = value.get_value(trait)
        elif held:
            value = read_secrets(value)
        if value is None and trait.allow_none:
            return None
        validate = getattr(trait, "validate", None)
        converted = validate(blank, value) if validate else value
    except ConfigError as error:
        raise Refused(error.what, error.fix) from None
    except (TraitError, ValueError, TypeError) as error:
        if held or is_secret(name):
            what = f"the content of {secret.source}" if secret else "this value"
            raise Refused(f"{what} is not {trait.info()}") from None
        better = getattr(error, "fix", "") or fix(trait, value, error)
        raise Refused(told(trait, name, value, error), better) from None
    refuse_unusable(trait, name, converted)
    return converted
