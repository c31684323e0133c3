"""Sizes, such as ``2 GiB``: parse and format them; and the size of this machine."""

from __future__ import annotations

import os
import re
from typing import Final

UNITS: Final = {"": 1} | {
    f"{letter}{ending}": base ** (number + 1)
    for number, letter in enumerate("kMGTP")
    for ending, base in (("", 1000), ("B", 1000), ("i", 1024), ("iB", 1024))
}

_SIZE = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([A-Za-z]*)\s*")


def size_of(text: str) -> int:
    """Bytes of a size such as ``"10 GB"`` or ``"512 MiB"``; nothing written is 0.

    Raises
    ------
    ValueError
        It is no size.
    """
    if not text.strip():
        return 0
    known = {unit.lower(): factor for unit, factor in UNITS.items()}
    found = _SIZE.fullmatch(text)
    if not found or found[2].lower() not in known | {"b": 1}:
        raise ValueError(f'{text!r} is no size: write it as "10 GB" or "512 MiB"')
    return int(float(found[1]) * (known | {"b": 1})[found[2].lower()])


def size_in_words(size: int) -> str:
    """A size in bytes for people: ``8 GiB``."""
    unit = next((each for each in ("TiB", "GiB", "MiB") if size >= UNITS[each]), "kiB")
    return f"{round(size / UNITS[unit], 1):g} {unit}"


def processors() -> int:
    """The processors of this machine, and at least two."""
    return max(2, os.cpu_count() or 2)
