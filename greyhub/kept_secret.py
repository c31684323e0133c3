"""A random text, made once and kept in a file that is its owner's alone."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def _hexadecimal() -> str:
    return secrets.token_hex(32)


def kept_secret(path: Path, make: Callable[[], str] = _hexadecimal) -> str:
    """The text in a file; what ``make`` gives where there is none: by default, 32 bytes in hex."""
    if path.exists():  # also where its directory cannot be written to
        return path.read_text().strip()
    with contextlib.suppress(FileExistsError):
        building = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as new:
            new.write(make())
        try:
            os.link(building, path)
        finally:
            building.unlink()
    return path.read_text().strip()
