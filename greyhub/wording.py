"""Words of messages: how many there are of a thing, which name was meant, a text cut short."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def number_of(thing: str, number: float) -> str:
    """A number with its thing: ``1 core``, ``2.5 cores``."""
    return f"{number:.12g} {thing}{'' if number == 1 else 's'}"


def shortened(text: str, longest: int = 100) -> str:
    """A text of so many characters at the most, with a mark where some are left out."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The question after a name that nobody has; empty where none is like it."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f"; did you mean {close[0]!r}?" if close else ""


def write_instead(name: str, known: Iterable[str]) -> str:
    """The fix for a name that nothing reads: the one like it, or the first of all there are."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"write {close[0]!r}" if close else f"use one of: {', '.join(names[:20])}"
