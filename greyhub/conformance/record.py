"""The record of a clause: what it did, and what was seen, each in one line."""

from __future__ import annotations

from dataclasses import dataclass, field

LONG = 24
"""Bytes of a content that a report still shows."""


@dataclass
class Record:
    """What the clause did, what the adapter answered and what the backend showed, in order."""

    done: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    saw: list[str] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)
    """What came out of the adapter itself: such an exception is a verdict, not a crash."""

    calling: list[str] = field(default_factory=list)
    """The calls of the adapter that have not returned yet."""


def shorten(value: object, limit: int = 160) -> str:
    """A value in one line of a report; of long bytes, how many."""
    if isinstance(value, bytes | bytearray) and len(value) > LONG:
        return f"<{len(value)} bytes {bytes(value[:8])!r}…>"
    if isinstance(value, str):
        value = value[: limit + 1]  # the whole may be a file's content
    text = value if isinstance(value, str) and len(value) >= 40 else _repr(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit]}…"


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # what an adapter gives may not even say what it is
        return f"<{type(value).__name__}, whose repr() raises {type(error).__name__}>"
