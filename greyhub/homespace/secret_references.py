"""A store's options with references where secrets would be.

The administrator writes where each user's server finds a credential, as
``{"env": "NAME"}`` or ``{"file": "/path"}``. The reference is what the ticket,
a pickle and a repr hold; the secret is read when the store is asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from greyhub.errors import HomeError
from greyhub.secret_names import as_reference, literal_secrets

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
        self.options = dict(options)
        for name in literal_secrets(self.options, store=True):
            raise ValueError(
                f"the storage option {name!r} holds a secret, which everyone with this home's "
                'description could read: write {"env": "NAME"} or {"file": "/path"} instead, '
                "for where the user's server finds it"
            )
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
        if (reference := as_reference(value)) is not None:
            secret = _content(name, *reference)
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
            '{"password": {"env": "NAME"}}'
        )


def _content(name: str, kind: str, place: str) -> str:
    if kind == "env":
        if text := os.environ.get(place):
            return text
        problem = f"the variable {place}, which is not set here"
    else:
        path = Path(place).expanduser()
        try:
            if text := path.read_text().rstrip("\r\n"):
                return text
            problem = f"the file {path}, which is empty"
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            problem = f"the file {path}, which cannot be read: {reason}"
    raise HomeError(
        f"the home's storage option {name!r} is to be read from {problem}.\n"
        "  fix: put the credential there for this user's server, or ask the administrator"
    )
