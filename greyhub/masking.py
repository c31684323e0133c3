"""Print values of a configuration with no secret in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traitlets.config.loader import LazyConfigValue

from greyhub.deferred_secrets import DeferredSecrets
from greyhub.secret_names import STORE_OPTIONS, is_secret
from greyhub.secret_references import SecretReference, is_reference
from greyhub.secret_texts import hidden, is_secret_text
from greyhub.secrets import Secret
from greyhub.wording import shortened

MASK = "********"


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
    return shortened(text, longest)


def named(values: Any) -> Iterator[tuple[str, Any]]:
    """Each value of a list, with the name that another element gives it.

    In ``["--token", "abc"]`` the second is named ``token``.
    """
    before = ""
    for each in values:
        yield before, each
        flag = isinstance(each, str) and each.startswith("-") and "=" not in each
        before = each.lstrip("-") if flag else ""


def named_value(value: Mapping[Any, Any]) -> str:
    """The name that a mapping gives its own ``value``, as Kubernetes writes a variable."""
    name = value.get("name")
    return name if isinstance(name, str) and "value" in value else ""
