"""File names and short identifiers made from other names: safe, and never the same for two."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

LONGEST = 200
"""Bytes in a name that `filename` makes: file systems allow 255."""


def filename(name: str, longest: int = LONGEST) -> str:
    """A file name for ``name``: two names never share one, and none escapes its folder.

    Small letters, digits and ``-_.`` stay readable; all else is percent-encoded,
    capitals too, since some file systems do not tell them apart. A name that
    would be too long ends in ``%`` and a digest, which no other name can contain.

    Raises
    ------
    ValueError
        The name is empty or holds a NUL.
    """
    if not name or "\0" in name:
        raise ValueError(f"{name!r} cannot name anything")
    encoded = "".join(_encode(letter) for letter in name)
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) > longest:
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        encoded = f"{encoded[: longest - len(digest) - 2].rpartition('%')[0] or 'long'}%-{digest}"
    return encoded


def _encode(letter: str) -> str:
    return (
        f"%{ord(letter):02X}"
        if "A" <= letter <= "Z"
        else quote(letter, safe="").replace("~", "%7E")
    )


def short_id(*parts: str, length: int = 12) -> str:
    """A short digest of several names: small letters and digits, the same every time."""
    joined = "\0".join(parts).encode()
    return hashlib.sha256(joined).hexdigest()[:length]


def lasting_id(file: Path) -> str:
    """What tells one hub from others where they share a platform: made once, and kept in a file."""
    with suppress(FileExistsError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with file.open("x") as made:
            made.write(secrets.token_hex(6))
    return file.read_text().strip()
