"""What stands under which name inside of a text, and where, as the text's own format has it.

A reader of a format yields `Named`; it knows nothing of secrets. Whether one is a secret
is decided in one place, `greyhub.secret_texts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Named(NamedTuple):
    """A text under a name, which stands from ``start`` to ``end`` of another."""

    name: str
    text: str
    start: int
    end: int
    written: Callable[[str], str] | None = None
    """How the format writes another text in its place, where it is not written as it is."""
