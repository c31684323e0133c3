"""Map paths of a home to keys of the store, and back.

Nearly always they are the same. What a store could not hold under its own name
(bytes that are not UTF-8, control characters, a name too long) is kept as an
object of the reserved folder, named by a digest; the manifest knows its path.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import Final

RESERVED: Final = ".greyhub"
"""The one name at the top of a home that is greyhub's own, here and in the store."""

ODD: Final = f"{RESERVED}/odd/"
META: Final = f"{RESERVED}/meta/"
PARTS: Final = f"{RESERVED}/parts/"
IDENTITY: Final = f"{RESERVED}/home.json"

LONGEST: Final = 900
"""Bytes in a plain key: S3 and Azure allow 1,024 with what stands before it."""

UNPLAIN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\\]|\.(/|$)")
"""XML has no control characters; Azure drops dots at an end and turns backslashes."""

UNSAFE: Final = re.compile(r"\0|(?:^|/)\.{0,2}(?:/|\Z)")
"""No name at all, or one that leads elsewhere."""


def reserved(path: str) -> bool:
    """Whether a path belongs to greyhub itself."""
    return path == RESERVED or path.startswith(f"{RESERVED}/")


def plain(path: str) -> bool:
    """Whether a path can be the name of an object in every store."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8 came in as surrogates
        return False
    return len(encoded) <= LONGEST and not UNPLAIN.search(path)


def key_of(path: str) -> str:
    """The name of a path's object, below the root of the home."""
    if plain(path):
        return path
    return ODD + hashlib.sha256(os.fsencode(path)).hexdigest()


def path_of(key: str) -> str | None:
    """The path of an object, or None if only the manifest can tell or it is not a home's."""
    return None if reserved(key) or key.endswith("/") or not key else key


def safe(path: str) -> bool:
    """Whether a path that came from the store stays inside a home, on every file system."""
    if UNSAFE.search(path):
        return False
    short = len(path) < 64  # a character has four bytes at most
    return short or all(len(os.fsencode(part)) <= 255 for part in path.split("/"))
