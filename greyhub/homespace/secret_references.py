"""A store's options with references where secrets would be.

The reference is what the ticket, a pickle and a repr hold; the secret is read
when the store is asked. See `greyhub.secret_references`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from greyhub.errors import HomeError
from greyhub.secret_references import HubReference, SecretReference, references

_PASSWORD_IN_URL = re.compile(r"://[^/@]*:[^/@]*@")


class Secrets:
    """Options for one user's store.

    Parameters
    ----------
    options : Mapping[str, Any]
        What the store's filesystem takes, with references for secrets.

    Raises
    ------
    ValueError
        A secret itself stands there. It is not repeated in the message.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = references(options)
        self._seen: set[str] = set()

    def read(self) -> dict[str, Any]:
        """The options with the secrets as they are now.

        Raises
        ------
        greyhub.errors.HomeError
            A variable is not set or a file cannot be read.
        """
        found: dict[str, Any] = {name: self._read(name, v) for name, v in self.options.items()}
        return found

    def _read(self, name: str, value: Any) -> Any:
        if hub := HubReference.of(value):
            from greyhub.credentials import HubCredential

            return HubCredential(hub.user, hub.audience)  # asks when a request needs it
        if reference := SecretReference.of(value):
            secret, problem = reference.content()
            if problem:
                raise HomeError(
                    f"the home's storage option {name!r} is to be read from {reference.source}, "
                    f"which {problem}.\n"
                    "  fix: put the credential there for this user's server, or ask the "
                    "administrator"
                )
            self._seen.add(secret)
            return secret
        if isinstance(value, Mapping):
            return {key: self._read(f"{name}.{key}", each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._read(name, each) for each in value]
        return value

    def hide(self, text: str) -> str:
        """A text without the secrets that were read."""
        for secret in self._seen:
            text = text.replace(secret, "***")
        return text


def check_url(url: str) -> None:
    """Raise `ValueError` for a URL with a password in it."""
    if _PASSWORD_IN_URL.search(url):
        raise ValueError(
            "the home's URL holds a password: put it into storage_options, as "
            '{"password": greyhub.secret(env="NAME")}'
        )
