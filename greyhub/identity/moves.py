"""Renames and merges: what is kept by a user's name is another user's from now on.

No file of a home moves. A home stays at its place, and the registry of homes says whose
it is. All that changes is written down first, as it will be in the end, so that a command
that was ended is finished by calling it again.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from greyhub.errors import HomeError
from greyhub.homespace.adapter import HomespaceAdapter
from greyhub.homespace.registry import HomeRegistry
from greyhub.homespace.secret_references import Secrets
from greyhub.identity.table import Identities
from greyhub.json_file import write_json
from greyhub.kubernetes.claims import ClaimUrl
from greyhub.names import filename, short_id
from greyhub.spawners.uids import UidTable

FILE = "users-move.json"
"""In the hub's private state: the move that has begun."""

PATIENCE = 60.0
"""Seconds for which a store may not answer."""


@dataclass
class Move:
    """One user's name becomes another's."""

    old: str
    new: str
    user_too: bool
    """Whether JupyterHub's user is renamed, which a merge leaves as it is."""
    homes: dict[str, str | None] = field(default_factory=dict)
    """Where homes are in the end, by user."""
    uids: dict[str, int | None] = field(default_factory=dict)
    """The uids that users have in the end."""
    copies: list[list[str]] = field(default_factory=list)
    """Working copies on the hub's machine: directories, each with its new name, in order."""

    @property
    def command(self) -> str:
        """The command that it is of."""
        return f"greyhub users {'rename' if self.user_too else 'merge'} {self.old} {self.new}"


def plan(
    private: Path,
    homes: HomespaceAdapter | None,
    old: str,
    new: str,
    *,
    user_too: bool,
    with_home: bool,
) -> Move:
    """What a rename, or a merge, will change; nothing is changed yet.

    Parameters
    ----------
    private : Path
        The hub's private state.
    homes : HomespaceAdapter or None
        The platform's.
    old, new : str
        Names of users.
    user_too : bool
        It is a rename. Otherwise the two exchange their homes, so that each has one.
    with_home : bool
        Whether the home of the old one becomes the new one's.

    Raises
    ------
    greyhub.errors.HomeError
        The home cannot become another user's where it is.
    """
    move = Move(old, new, user_too)
    if not with_home or homes is None:
        return move
    _check_follows(homes, old)
    theirs = None
    if not user_too:
        _check_follows(homes, new)
        theirs = homes.home_of(new)
    move.homes = {new: homes.home_of(old), old: theirs}
    table = _uids(private).read()
    if {old, new} & set(table):
        move.uids = {new: table.get(old), old: None if user_too else table.get(new)}
    one, other = homes.copy_of(old), homes.copy_of(new)
    directory = (one or other or Path()).parent
    aside = str(directory / f".{short_id(old, new)}")
    if one:
        move.copies.append([str(one), aside])
    if other:
        move.copies.append([str(other), str(directory / filename(old))])
    if one:
        move.copies.append([aside, str(directory / filename(new))])
    return move


def unfinished(private: Path) -> Move | None:
    """The move that was begun and not finished, if there is one."""
    try:
        return Move(**json.loads((private / FILE).read_text()))
    except FileNotFoundError:
        return None


def carry_out(move: Move, private: Path, identities: Identities) -> None:
    """Do a move, or what is left of one.

    Raises
    ------
    greyhub.errors.HomeError, OSError
        Something of it is left. Doing it again goes on with it.
    """
    write_json(private / FILE, asdict(move))
    if move.homes:
        HomeRegistry(private / "homes.json").move_all(move.homes)
    if move.uids:
        _uids(private).pass_on(move.uids)
    while move.copies:
        source, target = move.copies[0]
        if os.path.lexists(source):
            os.rename(source, target)  # one that holds something is never replaced
        move.copies.pop(0)
        write_json(private / FILE, asdict(move))
    identities.become(move.old, move.new, user_too=move.user_too)
    (private / FILE).unlink()


def has_files(homes: HomespaceAdapter | None, url: str) -> bool:
    """Whether there is anything in a home.

    Raises
    ------
    OSError, greyhub.errors.HomeError, ImportError
        The store does not tell.
    """
    from greyhub.homespace.stores import open_store

    if homes is None:
        return False
    if url.startswith("pvc://"):
        return url in homes.registry.read().values()
    with suppress(FileNotFoundError):
        store = open_store(url, Secrets(homes.own_options), PATIENCE)
        return next(iter(store.entries("")), None) is not None
    return False


def _check_follows(homes: HomespaceAdapter, user: str) -> None:
    """The registry decides where a user's home is, and nothing else says whose it is."""
    url = homes.home_of(user)
    claim = ClaimUrl.read(url)
    ours = type(homes).home_of.__module__.startswith("greyhub.homespace.")
    if not ours or (claim and not claim.directory):
        raise HomeError(
            f"the home of {user}, {url}, is marked with their name, and cannot become another "
            "user's where it is.\n  fix: add the other user, let them start a server once, copy "
            "the home with greyhub home copy, and say --without-home, or for a merge --home and "
            "that user"
        )


def _uids(private: Path) -> UidTable:
    return UidTable(private / "uids.json", 0, 0)
