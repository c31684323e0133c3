"""Make directories of the hub's machine that are one user's alone."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from greyhub.directories import make_passable
from greyhub.errors import HomeError


def make_private(path: Path, uid: int | None, option: str) -> None:
    """Make a directory that only its owner can enter; one that is there is looked at.

    Parameters
    ----------
    path : Path
        The directory; the one that it stands in is made too, for all to pass through.
    uid : int, optional
        Its owner; by default whoever makes it.
    option : str
        The option that chose the place, for messages.

    Raises
    ------
    greyhub.errors.HomeError
        It cannot be made, is another one's, or its owner cannot reach it.
    """
    try:
        make_passable(path.parent)
        if not path.exists():
            _create(path, uid)
        found = path.stat()
    except OSError as error:
        raise HomeError(
            f"the directory {path} cannot be made: {error.strerror or error}.\n"
            f"  fix: let the hub's user write to {path.parent}, or set {option}"
        ) from error
    check_owner(path, found.st_uid, uid, option)


def _create(path: Path, uid: int | None) -> None:
    # It comes into being by one rename, and is its owner's from the first moment.
    building = Path(tempfile.mkdtemp(prefix=".new-", dir=path.parent))
    try:
        if uid is not None:
            os.chown(building, uid, uid)
        building.rename(path)
    except OSError as error:
        building.rmdir()
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise  # otherwise another server of the same user was first


def check_owner(path: Path, owner: int, uid: int | None, option: str) -> None:
    """Raise `HomeError` unless a directory belongs to ``uid``, and it can get there."""
    if uid is None:
        return
    if owner != uid:
        raise HomeError(
            f"the home {path} belongs to uid {owner}, and this user's uid is {uid}.\n"
            f"  fix: if it is this user's, chown -R {uid}:{uid} it"
        )
    if closed := closed_to_others(path.parent):
        raise HomeError(
            f"the home {path} cannot be reached by its owner: {closed} lets nobody else "
            f"pass.\n  fix: set {option} or c.GreyHub.state_dir to a place that "
            "all users can pass through, such as /srv/greyhub"
        )


def closed_to_others(path: Path) -> Path | None:
    """The first of a directory and those above it that other uids cannot pass through."""
    for each in (path, *path.parents):
        if not each.stat().st_mode & 0o001:
            return each
    return None
