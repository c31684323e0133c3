"""Read secrets late, and never show them.

`secret` stands in a config file where a secret would stand. It holds the name
of a variable or a file; JupyterHub is given the content when it builds the
object that needs it, so neither ``--show-config`` nor a log can print it. In
`StorageOptions` it stays a reference, which is what a ticket carries.
`shown` and `masked` print every other value of a configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from traitlets import Bytes, Dict, TraitError, TraitType, Unicode
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from greyhub.errors import ConfigError
from greyhub.secret_names import (
    STORE_OPTIONS,
    hidden,
    is_reference,
    is_secret,
    is_secret_text,
    named,
    named_value,
)
from greyhub.secret_references import SecretReference, references

MASK = "********"


def secret(env: str | None, file: str | None, beside: str | None = None) -> Secret:
    """A secret, one of ``env`` and ``file``; see `greyhub.secret`."""
    if (env is None) == (file is None):
        raise ConfigError(
            "greyhub.secret takes one of env and file",
            fix='write greyhub.secret(env="NAME") or greyhub.secret(file="/run/secrets/name")',
        )
    if file is None or file.startswith("~"):
        return Secret(env=env, file=file)
    directory = Path(beside).resolve().parent if beside else Path.cwd()
    return Secret(file=str(directory / file))


class Secret(SecretReference, DeferredConfig):
    """A reference that traitlets reads as it builds the object whose option it is."""

    def read(self) -> str:
        """The secret itself.

        Raises
        ------
        greyhub.errors.ConfigError
            It is not there, is empty or cannot be read. Names the source alone.
        """
        text, problem = self.content()
        if problem:
            raise ConfigError(
                f"the secret is missing: {self.source} {problem}",
                fix=f"put the secret into {self.source}, where the hub runs",
            )
        return text

    def get_value(self, trait: TraitType[Any, Any]) -> Any:
        """The secret as a value of the trait, as traitlets asks for it."""
        text = self.read()
        if isinstance(trait, Bytes):
            return text.encode()
        if isinstance(trait, Unicode):
            return text
        try:
            return trait.from_string(text)
        except (TraitError, ValueError, TypeError, NotImplementedError):
            return text


class StorageOptions(Dict):
    """An adapter's option: what a store's filesystem takes where the user opens it.

    A `Secret` in it is not read by the hub. It becomes a reference, ``{"env": "NAME"}``,
    which a ticket may carry, and `greyhub.secret_references.SecretReference` reads it in
    the user's server. A secret that is written out is refused.
    """

    def validate(self, obj: Any, value: Any) -> Any:
        """The options with a reference for each secret."""
        try:
            return references(super().validate(obj, value) or {})
        except ValueError as error:
            raise TraitError(str(error)) from None


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


def masked(value: Any, name: str = "", *, store: bool = False) -> Any:
    """A value of a configuration for people or JSON, with no secret in it.

    Parameters
    ----------
    value : Any
        The value.
    name : str
        The option, key or variable that it stands under.
    store : bool
        It is among the options of a store.
    """
    reference = SecretReference.of(value)
    if reference and (store or reference is value):
        return repr(reference)
    store = store or name in STORE_OPTIONS
    if isinstance(value, DeferredSecrets):
        return masked(value.value, name, store=store)
    if isinstance(value, str):
        if is_secret_text(name, value, store=store):
            return MASK
        return hidden(str(value), MASK)
    if isinstance(value, bool | int | float) or value is None:
        return value
    covered = is_secret(name, store=store) and not isinstance(value, type)
    if value and covered and not is_reference(value):
        parts: Any = value if isinstance(value, list | tuple) else ()
        referred = any(SecretReference.of(each) for each in parts)
        return [masked(each, name, store=store) for each in parts] if referred else MASK
    if isinstance(value, LazyConfigValue):
        parts = {"update": value._update, "prepend": value._prepend, "extend": value._extend}
        parts["insert"] = [each for _, each in value._inserts]
        return {key: masked(each, store=store) for key, each in parts.items() if each}
    if isinstance(value, Mapping):
        if is_reference(value):
            return {str(key): masked(each) for key, each in value.items()}
        given = named_value(value)
        return {
            str(key): masked(each, given if given and key == "value" else str(key), store=store)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(each, before, store=store) for before, each in named(value)]
    if isinstance(value, set | frozenset):
        return [masked(each, store=store) for each in sorted(value, key=repr)]
    if isinstance(value, bytes):
        return MASK
    if callable(value):
        module, title = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
        return f"{module}.{title}" if title else f"<{type(value).__name__}>"
    return f"<{type(value).__name__}>"


def shown(value: Any, name: str = "", longest: int = 100) -> str:
    """A value in one short line of Python, with no secret in it."""
    text = repr(masked(value, name))
    if isinstance(value, Secret) or (callable(value) and not isinstance(value, str)):
        text = str(masked(value, name))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
