"""Find the name of a section or an option that was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def rather(section: str, option: str, names: Iterable[str]) -> str:
    """The fix for an option that a section does not have; empty where none is near."""
    close = nearest(option, names)
    return f"write c.{section}.{close}" if close else ""


_KINDS = ("oauthenticator", "authenticator", "spawner", "adapter", "proxy")


def nearest(name: str, names: Iterable[str]) -> str:
    """The nearest of some names, whatever their capitals and underscores.

    Two spawners are not near to each other for both being called Spawner.
    """
    wanted, kind = _stem(name)
    plain = {_stem(each)[0]: each for each in names if _stem(each)[1] == kind}
    close = difflib.get_close_matches(wanted, plain, n=1, cutoff=0.72)
    if not close and kind:
        whole = {each.lower(): each for each in names}
        close = difflib.get_close_matches(name.lower(), whole, n=1, cutoff=0.9)
        plain = whole
    return plain[close[0]] if close else ""


def _stem(name: str) -> tuple[str, str]:
    """A name without what it has in common with others of its kind, and the kind."""
    plain = name.lower().replace("_", "")
    kind = next((kind for kind in _KINDS if plain.endswith(kind) and plain != kind), "")
    return plain.removesuffix(kind), kind
