"""Delete a home with its user: at once, or into a dated trash.

The trash stands beside the homes, ``.trash/2026-11-21/ada``: no user's home can
have that name. A directory goes there by one rename. An object store copies and
then deletes, so whoever is killed meanwhile has lost nothing: what is still in
its place goes the next time.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from greyhub.errors import HomeError
from greyhub.homespace.registry import HomeRegistry
from greyhub.homespace.secret_references import Secrets

if TYPE_CHECKING:
    from greyhub.homespace.stores import Store

TRASH: Final = ".trash"
GOING: Final = f"{TRASH}/going"
"""What is being removed: no longer anyone's, and maybe not all of it is there."""

DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
PATIENCE: Final = 60.0


def delete_home(
    username: str,
    url: str,
    options: Mapping[str, Any],
    registry: HomeRegistry,
    *,
    copy: Path | None,
    days: int,
) -> str:
    """Take a user's home away, the working copy of it, and the memory of where it is.

    Parameters
    ----------
    username : str
        Whose it is.
    url : str
        The home's URL or directory.
    options : Mapping[str, Any]
        Of its filesystem, with references where secrets are.
    registry : HomeRegistry
        Where every user's home is.
    copy : Path | None
        The working copy on this machine, if there is one.
    days : int
        How long it stays in the trash; with 0, it never goes there.

    Raises
    ------
    greyhub.errors.HomeError
        It is not this user's alone; nothing was removed.
    OSError
        The store does not do it.
    """
    known = registry.read()
    for other, theirs in known.items():
        if other != username and overlap(url, theirs):
            raise HomeError(
                f"the home of {username}, {url}, is also {other}'s, or holds it: {theirs}. "
                f"Nothing was removed.\n  fix: look at {registry.path}, and remove it by hand"
            )
    where = remove_home(url, options, days)
    if copy is not None:
        remove_home(str(copy), {}, days)
    if username in known:
        registry.move(username, None)
    return where


def overlap(one: str, other: str) -> bool:
    """Whether two homes are one, or one is in the other."""
    one, other = f"{one.rstrip('/')}/", f"{other.rstrip('/')}/"
    return one.startswith(other) or other.startswith(one)


def remove_home(
    url: str,
    options: Mapping[str, Any],
    days: int,
    now: datetime | None = None,
) -> str:
    """Take one home away; where it is now, or "" if it is nowhere.

    Doing it again does nothing. The trash is rid of what has been in it for too long.

    Parameters
    ----------
    url : str
        The home's URL or directory.
    options : Mapping[str, Any]
        Of its filesystem, with references where secrets are.
    days : int
        How long it stays in the trash; with 0, it never goes there.

    Raises
    ------
    greyhub.errors.HomeError
        It is not a directory of its own; nothing was removed.
    OSError
        The store does not do it. All that has not gone is where it was.
    """
    from greyhub.homespace.stores import open_store

    now = now or datetime.now(UTC)
    top, name = split(url)
    store = open_store(top, Secrets(options), PATIENCE)
    moved = ""
    if _is_there(store, name, url):
        _prepare(store)
        if days:
            moved = _free(store, f"{TRASH}/{now:%Y-%m-%d}/{name}")
            store.move(name, moved)
        elif "directories" in store.can:
            going = f"{GOING}/{uuid4().hex}"
            store.move(name, going)  # whoever looks sees all of it or nothing
            store.remove_tree(going)
        else:
            store.remove_tree(name)
    purge(store, days, now)
    return store.url_of(moved) if moved else ""


def split(url: str) -> tuple[str, str]:
    """Where a home stands, and its name there.

    Raises
    ------
    greyhub.errors.HomeError
        It stands nowhere: it is a whole bucket or file system.
    """
    scheme, mark, place = url.rpartition("://")
    top, _, name = place.rstrip("/").rpartition("/")
    if not top or not name or name in (".", "..", TRASH):
        raise HomeError(
            f"{url} is all there is at its place, and has nothing beside it: it was not removed.\n"
            "  fix: remove it with the store's own tools, and set "
            "c.HomespaceAdapter.deletion = 'keep'"
        )
    return f"{scheme}{mark}{top}", name


def purge(store: Store, days: int, now: datetime) -> None:
    """Remove what has been in the trash for too long, and what was being removed before."""
    oldest = f"{now - timedelta(days=days):%Y-%m-%d}"
    with suppress(FileNotFoundError):
        for entry in list(store.entries(TRASH)):
            day = entry.name.rpartition("/")[2]
            old = days and DAY.fullmatch(day) and day < oldest
            if entry.destination is None and (old or entry.name == GOING):
                with suppress(FileNotFoundError):
                    store.remove_tree(entry.name)


def _is_there(store: Store, name: str, url: str) -> bool:
    try:
        entry = store.info(name)
    except FileNotFoundError:
        return False
    if entry.destination is not None or entry.type == "link":
        raise HomeError(
            f"the home {url} is a link, and what it leads to may be more than a home: nothing was "
            "removed.\n  fix: remove by hand what it leads to, and then the link"
        )
    if entry.type != "directory":
        raise HomeError(f"the home {url} is not a directory: nothing was removed")
    return True


def _prepare(store: Store) -> None:
    """The trash is nobody's to look into."""
    from greyhub.homespace.stores.local import LocalStore

    if isinstance(store, LocalStore):
        with suppress(FileExistsError):
            os.mkdir(f"{store.root}/{TRASH}", 0o700)
        if os.path.islink(f"{store.root}/{TRASH}"):
            raise OSError(errno.ELOOP, "the trash is a link: nothing was removed", store.root)


def _free(store: Store, path: str) -> str:
    """A name in the trash that nothing has yet."""
    for number in count(1):
        name = path if number == 1 else f"{path}.{number}"
        try:
            store.info(name)
        except FileNotFoundError:
            return name
    raise AssertionError("unreachable")
