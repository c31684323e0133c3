"""Say where a secret is, and not what it is: by a variable's name, or a file's.

`SecretReference` is the one form of it. `greyhub.secret` makes one in a config file;
a ticket holds it as ``{"env": "NAME"}`` or ``{"file": "/path"}``. Nothing but the
standard library is needed here: users' servers ask, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from greyhub.secret_names import is_secret, word_set
from greyhub.secret_texts import is_secret_text

_PLACES = word_set(
    "env file path name secretname secretref secretkeyref configmapkeyref fieldref valuefrom "
    "secret_name secret_ref secret_key_ref config_map_key_ref field_ref value_from"
)
_WHERE = _PLACES | word_set(
    "key items defaultmode default_mode optional mode audience expirationseconds expiration_seconds"
)
"""Keys of a mapping that says where a secret is, as greyhub and Kubernetes write it."""


class SecretReference:
    """Where a secret is: one of ``env`` and ``file``. It has no text but its repr."""

    def __init__(self, *, env: str | None = None, file: str | None = None) -> None:
        self.env, self.file = env, file

    @classmethod
    def of(cls, value: object) -> SecretReference | None:
        """The reference that a value is, also as a ticket holds it; None if it is none."""
        if isinstance(value, SecretReference):
            return value
        if isinstance(value, Mapping) and len(value) == 1:
            [(kind, place)] = value.items()
            if kind in ("env", "file") and isinstance(place, str):
                return SecretReference(**{kind: place})
        return None

    @property
    def mapping(self) -> dict[str, str]:
        """The reference as a ticket holds it."""
        return {"env": self.env} if self.env is not None else {"file": str(self.file)}

    @property
    def path(self) -> Path | None:
        """The file, if it is one; ``~`` is the home of the account that reads it."""
        return Path(self.file).expanduser() if self.file is not None else None

    @property
    def source(self) -> str:
        """The variable or the file, for people."""
        return f"the variable {self.env}" if self.path is None else f"the file {self.path}"

    def content(self) -> tuple[str, str]:
        """The secret, and why there is none: one of the two is empty.

        The line end of a file's last line is no part of the secret.
        """
        if self.path is None:
            text = os.environ.get(str(self.env))
            if text is None:
                return "", "is not set"
        else:
            try:
                text = self.path.read_text().rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                return "", f"cannot be read: {getattr(error, 'strerror', '') or 'not text'}"
        return (text, "") if text.strip() else ("", "is empty")

    def __repr__(self) -> str:
        [(kind, place)] = self.mapping.items()
        return f"greyhub.secret({kind}={place!r})"

    def __str__(self) -> str:
        raise TypeError(
            f"{self!r} cannot be put into a text: put the whole text into {self.source}"
        )


class HubReference:
    """A credential that the hub gives a user's server: ``{"hub": "storage", "user": "ada"}``."""

    def __init__(self, audience: str, user: str) -> None:
        self.audience, self.user = audience, user

    @classmethod
    def of(cls, value: object) -> HubReference | None:
        """The reference that a value is, as a ticket holds it; None if it is none."""
        if isinstance(value, Mapping) and value.keys() == {"hub", "user"}:
            return cls(str(value["hub"]), str(value["user"]))
        return None

    @property
    def mapping(self) -> dict[str, str]:
        """The reference as a ticket holds it."""
        return {"hub": self.audience, "user": self.user}


def references(options: Mapping[str, Any]) -> dict[str, Any]:
    """A store's options as a ticket holds them: each secret is a reference.

    Raises
    ------
    ValueError
        A secret itself stands there. It is not repeated in the message.
    """
    for name in literal_secrets(options, store=True):
        raise ValueError(
            f"the storage option {name!r} holds a secret, which users can read: write where "
            'their servers find it, greyhub.secret(env="NAME") or greyhub.secret(file="/path"); '
            'in JSON, {"env": "NAME"} or {"file": "/path"}'
        )
    found: dict[str, Any] = _plain(options)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, SecretReference):
        return value.mapping
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def literal_secrets(options: Mapping[Any, Any], *, store: bool = False) -> Iterator[str]:
    """The names of options that hold a secret itself, and not where it is; ``a.b`` is inside of a.

    Parameters
    ----------
    options : Mapping[Any, Any]
        Options by name.
    store : bool
        They are a store's.
    """
    for key, value in options.items():
        name = str(key)
        if SecretReference.of(value) is not None or HubReference.of(value) is not None:
            continue
        if is_secret(name, store=store):
            # A pair of a name and a reference, as for auth, is no secret.
            last = value[-1] if isinstance(value, list | tuple) and value else value
            if isinstance(last, str):
                if is_secret_text(name, last, store=store):
                    yield name
            elif not isinstance(last, bool | None) and SecretReference.of(last) is None:
                yield name
        elif isinstance(value, Mapping):
            yield from (f"{name}.{each}" for each in literal_secrets(value, store=store))


def is_reference(value: Any) -> bool:
    """Whether a mapping says where a secret is, and does not hold it."""
    if not isinstance(value, Mapping) or not value:
        return False
    keys = {str(key).lower() for key in value}
    return keys <= _WHERE and bool(keys & _PLACES)
