"""What stands under which name inside of a text, and where, as the text's own format has it.

A reader of a format yields `Named`; it knows nothing of secrets. Whether one is a secret
is decided in one place, `greyhub.secret_texts`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """How sure a reader is that a name and a text belong together."""

    SETTING = "a format says so"
    FLAG = "the next word of a command, or of a line"
    PROSE = "it may be a sentence"
    QUERY = "a field of a URL's query"
    USER = "a URL's user, who may be a token"
    WORDS = "a text of its own, with no name"


class Named(NamedTuple):
    """A text under a name, which stands from ``start`` to ``end`` of another."""

    name: str
    text: str
    start: int
    end: int
    kind: Kind = Kind.SETTING
    written: Callable[[str], str] | None = None
    """How the format writes another text in its place, where it is not written as it is."""
