"""Compare who logs people in, by two configurations: warn of users who would not get in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from greyhub.adapter import Finding
from greyhub.checks.platform import Platform
from greyhub.errors import GreyHubError

FEW = 5
"""Names that are shown of many."""


def who_would_not_get_in(old: Platform, new: Platform, files: tuple[str, str]) -> Iterator[Finding]:
    """Warnings and notes for a change of who logs people in.

    Parameters
    ----------
    old, new : Platform
        The configurations. The hub's database is the old one's.
    files : tuple of str
        Their files.
    """
    sources, targets = issuers(old), issuers(new)
    if not sources or not targets:
        return
    names, rules = _known(old)
    for source, target in product(sorted(sources - targets), sorted(targets - sources or targets)):
        yield _of_issuers(source, target, (source, target) in rules, shlex.quote(files[1]))
    lost = [each for each in sorted(names) if _given(old, each) == each != _given(new, each)]
    if lost:
        few = ", ".join(f"{each} becomes {_given(new, each)}" for each in lost[:FEW])
        more = f", and so on for {len(lost) - FEW} more" if len(lost) > FEW else ""
        yield Finding(
            "warning",
            f"logins will ask for other names than those of these users: {few}{more}",
            "greyhub users map joins the logins of these users one by one; who has a login by "
            f"{' or '.join(sorted(targets))} already keeps the name",
        )


def issuers(platform: Platform) -> set[str]:
    """The issuers whose logins a hub of this configuration takes, as far as it is known."""
    from greyhub.identity.issuers import issuer_of, word_of

    if platform.authenticator is None:
        return set()
    word = word_of(platform.adapters.get("auth"), platform.authenticator)
    return {issuer_of(each, word) for each in platform.authenticators.values()} - {""}


def _of_issuers(source: str, target: str, joined: bool, file: str) -> Finding:
    change = f"logins are by {target} and no longer by {source}"
    if joined:
        return Finding(
            "note", f"{change}: whoever asks there for a user's name is that user, as it was said"
        )
    one, other = shlex.quote(source), shlex.quote(target)
    return Finding(
        "warning",
        f"{change}, and it is not known that the same names are the same people: who asks there "
        "for the name of a user is refused",
        f"if they are, and nobody can choose their name there: greyhub users map --from {one} "
        f"--to {other} --same-names -f {file}; otherwise one by one: greyhub users map USER "
        f"--issuer {other} --subject …",
    )


def _made(platform: Platform) -> Any:
    assert platform.authenticator is not None
    return platform.dry_instance(platform.authenticator)


def _given(platform: Platform, name: str) -> str:
    """What an authenticator makes of a name."""
    try:
        return str(_made(platform).normalize_username(name))
    except Exception:  # another's code, which may ask what is not there yet
        return name


def _known(platform: Platform) -> tuple[set[str], set[tuple[str, str]]]:
    """The hub's users, and the pairs of issuers whose same names are the same people."""
    from greyhub.hub_database import HubDatabase

    url = str(platform.value("JupyterHub", "db_url") or "")
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return set(), set()
    database = HubDatabase(url)
    try:
        return database.users(), database.same_names()
    except (GreyHubError, ImportError):
        return set(), set()
