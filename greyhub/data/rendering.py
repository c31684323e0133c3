"""Fill in the values of one entry, and hide its secrets in messages."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from typing import Any, Protocol

from greyhub.data import templates
from greyhub.data.document import Document, Fault
from greyhub.data.policy import Policy

URLS = ("url", "urlpath")
"""The arguments that say where data is; a relative one stands beside its catalogue."""

SHORTEST = 4
"""Fewer letters are no secret, and hiding them would hide half of every message."""


class Described(Protocol):
    """What a rendering needs to know of the entry that it fills in."""

    @property
    def document(self) -> Document:
        """The file in which it stands."""

    def fault(self, what: str, fix: str = "") -> Fault:
        """A fault of this entry."""


class Rendering:
    """The values of one entry as they are filled in, and what must not be shown of them."""

    def __init__(self, entry: Described, policy: Policy, values: Mapping[str, Any]) -> None:
        self.entry, self.policy, self.values = entry, policy, values
        self._platform = {**policy.parameters, "CATALOG_DIR": entry.document.directory}
        self._secrets: list[str] = []
        self._urls: list[str] = []
        for value in values.values():
            self._note(value)

    def text(self, key: str, text: str) -> str:
        """A text with everything but the entry's own parameters filled in."""
        filled = templates.fill(text, self._platform)
        filled = templates.hide(key, from_environment(self.entry, filled))
        self._note(filled)
        return filled

    def place(self, key: str, value: Any) -> Any:
        """A finished value; a relative place of data becomes one beside the catalogue."""
        if not isinstance(value, str):
            return value
        found = value
        if key in URLS:
            found = beside(value, self.entry.document.directory)
            self._urls.append(found)
        secret = isinstance(value, templates.Secret) or self.hidden(found) != found
        return templates.Secret(found) if secret else found

    def places(self, values: Any) -> list[str]:
        """Where the data is that some values name, as far as that is known without parameters."""
        found = [
            beside(templates.fill(text, self._platform), self.entry.document.directory)
            for key, text in templates.strings(values)
            if key in URLS
        ]
        return [place for place in found if not templates.variables(place)]

    def checked(self, made: Any) -> Any:
        """``made``, if every local file that it names is there and can be read."""
        for url in self._urls:
            path = local(url)
            if path is None or any(letter in path for letter in "*?[{"):
                continue
            if not os.path.exists(path):
                raise self.entry.fault(
                    f"is not here: there is no {self.hidden(path)}",
                    "look whether its disk is mounted where this notebook runs",
                )
            if not os.access(path, os.R_OK):
                raise self.entry.fault(
                    f"cannot be read: you have no right to read {self.hidden(path)}",
                    "ask who looks after this catalogue",
                )
        return made

    def hidden(self, text: str) -> str:
        """A message without the secrets that were filled in."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _note(self, value: Any) -> None:
        if isinstance(value, templates.Secret) and len(value) >= SHORTEST:
            self._secrets.append(str.__str__(value))


def from_environment(entry: Described, text: str) -> str:
    """A text with ``env(NAME)`` filled in; a `Fault` of the entry if one is not set."""
    try:
        return templates.fill_environment(text)
    except KeyError as error:
        raise entry.fault(
            f"needs the environment variable {error.args[0]}, which is not set here"
        ) from None


def local(location: str) -> str | None:
    """The path of a location on this machine; None for any other."""
    if location.startswith("file://"):
        return location.removeprefix("file://")
    return None if "://" in location or "::" in location else location


def beside(location: str, directory: str) -> str:
    """A location; a relative one in ``directory``."""
    if local(location) is None or location.startswith(("/", "~", "file://")):
        return location
    return posixpath.join(directory, location)
