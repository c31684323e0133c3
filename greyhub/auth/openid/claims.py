"""Read names and groups from a provider's claims, and refuse what is none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

from greyhub.auth.openid.errors import Refused

LONGEST: Final = 255
"""Characters that a user's or a group's name may have in the hub's database."""

NAME: Final = re.compile(r"\w[\w.@+-]*")
"""What may become a user's name."""

DISPLAY_NAMES: Final = frozenset({"name", "given_name", "family_name", "nickname", "middle_name"})
"""Claims that people choose for themselves, and share with others."""

ABSENT: Final = object()
"""Stands for a claim that is not there."""


def claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name or its path, ``realm_access.roles``; `ABSENT` if there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return ABSENT
        found = found[part]
    return found


def username(claims: Mapping[str, Any], path: str, prefix: str = "") -> str:
    """The name that a user gets, before the hub normalises it.

    Raises
    ------
    Refused
        The claim is missing, is no name, or is an e-mail that nobody has verified.
    """
    name = claim(claims, path)
    if name is ABSENT:
        raise Refused(f"The provider tells no {path}, which user names are made from.")
    if path == "email" and not _true(claims.get("email_verified")):
        raise Refused("The provider has not verified this e-mail address.")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST - len(prefix):
        raise Refused(f"The provider's {path} is no name that can be used.")
    # Other spellings of one name, such as letters of full width, would be taken for another's.
    if not NAME.fullmatch(name) or unicodedata.normalize("NFKC", name) != name:
        raise Refused(f"The provider's {path} holds signs that no user name may have.")
    return f"{prefix}{name}"


def overage(claims: Mapping[str, Any], path: str) -> bool:
    """Whether the provider says that there are groups, and that they are told elsewhere."""
    elsewhere = claims.get("_claim_names")
    named = isinstance(elsewhere, Mapping) and path.partition(".")[0] in elsewhere
    return claim(claims, path) is ABSENT and (named or _true(claims.get("hasgroups")))


def groups(value: Any, separator: str, warn: Callable[[str], Any]) -> list[str]:
    """Groups as a claim holds them: a list of names, or a text where a separator is set.

    Parameters
    ----------
    value : Any
        The claim; `ABSENT` or None for no groups.
    separator : str
        What stands between the names in a text; empty if a text is not expected.
    warn : callable
        Is told in words what is not understood, and counts for nothing.
    """
    if value is ABSENT or value is None:
        return []
    if isinstance(value, str):
        if not separator:
            warn(
                "the groups are one text, which counts for none\n"
                "  fix: let the provider send a list, or set groups_separator"
            )
            return []
        value = [part.strip() for part in value.split(separator)]
    if not isinstance(value, list):
        warn("the groups are no list, and count for none\n  fix: look at groups_claim")
        return []
    good = {each for each in value if isinstance(each, str) and 0 < len(each) <= LONGEST}
    if any(not isinstance(each, str) for each in value):
        warn("some groups are no text, and are left out\n  fix: look at groups_claim")
    return sorted(good)


def missing_requirement(claims: Mapping[str, Any], required: Mapping[str, Any]) -> str | None:
    """The first claim that is not as it must be, if there is one."""
    for path, allowed in required.items():
        values = allowed if isinstance(allowed, list | tuple | set | frozenset) else [allowed]
        if not any(_same(claim(claims, path), each) for each in values):
            return path
    return None


def _true(said: Any) -> bool:
    return said is True or bool(said == "true")


def _same(said: Any, allowed: Any) -> bool:
    # True and 1 are one value in Python, and two in JSON.
    return type(said) is type(allowed) and bool(said == allowed)
