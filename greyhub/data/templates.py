"""Template expressions in a catalogue's values: found, checked and filled in, never run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from greyhub.secret_names import is_secret
from greyhub.secret_texts import is_secret_text

PLATFORM = re.compile(r"\{\{\s*([A-Z][A-Z0-9_]*)\s*\}\}|\{([A-Z][A-Z0-9_]*)\}")
"""``{NAME}`` and ``{{ NAME }}``: a parameter of the platform, in both formats."""

ENV = re.compile(r"\{\{?\s*(?:client_)?env\(\s*['\"]?(\w+)['\"]?\s*\)\s*\}?\}")
"""``{env(NAME)}`` and ``{{ env(NAME) }}``: a variable of the reader's environment."""

_ENV_ALONE = re.compile(r"(?:client_)?env\(\s*['\"]?(\w+)['\"]?\s*\)$")
_RUNS = re.compile(r"(?:^|\{)\s*(func|import|pickle64|shell|client_shell)\s*\(|(\{%)")
_USERINFO = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*(?=@)")


class Secret(str):
    """Text that repr, YAML and a debugger's listing show as ``***``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        # A worker need not have greyhub.
        return str, (str.__str__(self),)


yaml.add_representer(Secret, lambda dumper, _: dumper.represent_str("***"))


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in nested values, each with the key that it stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from strings(each, str(name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings(each, key)


def changed(value: Any, change: Callable[[str, str], Any], key: str = "") -> Any:
    """Nested values with every text replaced by ``change(key, text)``."""
    if isinstance(value, str):
        return change(key, value)
    if isinstance(value, Mapping):
        return {name: changed(each, change, str(name)) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [changed(each, change, key) for each in value]
    return value


def runs(text: str) -> str:
    """The name of what would run code in a text, or ``""``."""
    found = _RUNS.search(text)
    return next((each for each in found.groups() if each), "") if found else ""


def variables(text: str) -> list[str]:
    """The environment variables that a text reads."""
    alone = _ENV_ALONE.match(text)
    return [alone[1]] if alone else ENV.findall(text)


def unfilled(text: str, known: Mapping[str, Any]) -> list[str]:
    """The platform's parameters that a text needs and that are not known."""
    names = [one or other for one, other in PLATFORM.findall(text)]
    return [name for name in names if name not in known]


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the platform's parameters into a text; others stay as they are."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in values:
            return match[0]
        rest = match.string[match.end() :]
        # Intake's own CATALOG_DIR is followed by a slash in some catalogues, and not in others.
        slash = "/" if name == "CATALOG_DIR" and rest and not rest.startswith("/") else ""
        return values[name] + slash

    return PLATFORM.sub(value, text)


def fill_environment(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Put variables of the environment into a text, which then is a `Secret`.

    Raises
    ------
    KeyError
        A variable that is not set.
    """
    alone = _ENV_ALONE.match(text)
    if alone:
        return Secret(environ[alone[1]])
    found = ENV.sub(lambda match: environ[match[1]], text)
    return Secret(found) if found != text else text


def hide(key: str, text: str) -> str:
    """A text as a `Secret` if its key says that it is one, or if it is a URL with a password."""
    return Secret(text) if is_secret(key) or _USERINFO.search(text) else text


def is_plain_secret(key: str, text: str) -> bool:
    """Whether a catalogue says a secret in plain text here."""
    return "{" not in text and (is_secret_text(key, text) or bool(_USERINFO.search(text)))


def shown(location: str) -> str:
    """A URL as people may see it: without a password, a query or a signature."""
    return _USERINFO.sub("***", location).partition("?")[0] if "://" in location else location
