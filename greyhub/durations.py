"""Durations, such as ``20 minutes`` and ISO 8601's ``PT20M``: parse them."""

from __future__ import annotations

import re
from typing import Final

_SECONDS: Final = {
    ("s", "second"): 1.0,
    ("ms", "millisecond"): 1e-3,
    ("us", "microsecond"): 1e-6,
    ("ns", "nanosecond"): 1e-9,
    ("m", "minute"): 60.0,
    ("h", "hour"): 3600.0,
    ("d", "day"): 86400.0,
    ("w", "week"): 604800.0,
}
"""As Dask has them; a word may have an s at its end."""

UNITS: Final = {
    name: seconds
    for (short, word), seconds in _SECONDS.items()
    for name in (short, word, f"{word}s")
}

_DURATION: Final = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([A-Za-z]*)\s*")
_ISO: Final = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def seconds_of(text: str) -> float:
    """Seconds of a duration such as ``"20 minutes"`` or ``"1.5h"``; without a unit, of seconds.

    Raises
    ------
    ValueError
        It is none.
    """
    found = _DURATION.fullmatch(text)
    if not found or (found[2] or "s").lower() not in UNITS:
        raise ValueError(f'{text!r} is no duration: write it as "20 minutes" or "12 hours"')
    return float(found[1]) * UNITS[(found[2] or "s").lower()]


def iso_seconds_of(text: str) -> int:
    """Seconds of a duration as ISO 8601 has it: days, hours, minutes and seconds.

    Raises
    ------
    ValueError
        It is none.
    """
    found = _ISO.fullmatch(text)
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is no duration of ISO 8601: write it as PT3H, or P1DT30M")
    return sum(
        int(number or 0) * seconds
        for number, seconds in zip(found.groups(), (86400, 3600, 60, 1), strict=True)
    )
