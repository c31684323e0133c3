"""Paths relative to a home's root, with no character that is special."""

from __future__ import annotations

import errno
import os
from typing import Any

from greyhub.homespace.stores.errors import refusal

OWN = ".greyhub"
"""The name at the top of a home that is greyhub's."""


def below(path: Any, reserved: tuple[str, ...] = ()) -> str:
    """A path as the stores take it: ``a/b``, and the empty text for the root.

    A slash at the start or the end, a double one and a ``.`` are no names. All
    else stands for itself: nothing is decoded, expanded, trimmed or normalised.

    Raises
    ------
    PermissionError
        A part is ``..``, or one of greyhub's own names.
    ValueError
        It holds a NUL.
    """
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"a path is a str, not {type(text).__name__}")
    if "\0" in text:
        raise ValueError("a path holds no NUL")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise refusal(errno.EACCES, text, "'..' could lead out of the home: leave it out")
    if parts[:1] == [OWN] or any(part.startswith(reserved) for part in parts if reserved):
        raise refusal(errno.EACCES, text, "names like this are greyhub's own")
    return "/".join(parts)


def join(directory: str, name: str) -> str:
    """A name in a directory, which may be the root."""
    return f"{directory}/{name}" if directory else name


def base(path: str) -> str:
    """The last name."""
    return path.rpartition("/")[2]
