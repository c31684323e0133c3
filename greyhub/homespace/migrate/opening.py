"""Open the two endpoints of a copy, with the journal of their progress."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from greyhub.errors import HomeError
from greyhub.homespace.migrate.directory import DirectoryEndpoint
from greyhub.homespace.migrate.endpoint import Endpoint
from greyhub.homespace.migrate.locations import Location, check_apart
from greyhub.homespace.migrate.object_store import ObjectStoreEndpoint
from greyhub.homespace.migrate.retry import with_retry
from greyhub.homespace.sync.journal import Journal
from greyhub.names import short_id


@contextmanager
def endpoints(
    source: Location, target: Location | None, state: Path | None = None, *, check: bool = True
) -> Iterator[tuple[Endpoint, Endpoint | None, Journal]]:
    """Two homes, ready to be gone through, and what is remembered of earlier times.

    Parameters
    ----------
    state : Path, optional
        Where that is kept; by default in the account's own state directory.
    check : bool
        Read again what is written.

    Raises
    ------
    greyhub.errors.HomeError
        They are one home, or another process is at work between them.
    """
    if target is not None:
        check_apart(source, target)
    name = short_id(source.url, target.url if target else "", length=20)
    folder = (state or _state()) / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder, source):
        known, told = Journal(folder / "source.sqlite"), Journal(folder / "target.sqlite")
        try:
            one = _endpoint(source, folder, known, None, check=check)
            if target is None:
                yield one, None, told
                return
            identity = ""
            if isinstance(one, ObjectStoreEndpoint):
                identity = with_retry(one.known_as, one.renew)
            other = _endpoint(target, folder, told, source, identity=identity, check=check)
            yield one, other, told
        finally:
            known.close()
            told.close()


def _endpoint(
    place: Location,
    folder: Path,
    journal: Journal,
    source: Location | None,
    *,
    identity: str = "",
    check: bool,
) -> Endpoint:
    if place.on_claim:
        raise HomeError(
            f"{place.url} is a claim, which is not reached from here.\n"
            "  fix: greyhub home copy copies it, in a pod; what is the same is not sent again"
        )
    if (directory := place.directory) is not None:
        return DirectoryEndpoint(
            directory, folder / "tmp", _owner(place, directory, source), check=check
        )
    return ObjectStoreEndpoint(place.url, place.options, journal, identity, check=check)


def _owner(place: Location, directory: Path, source: Location | None) -> tuple[int, int] | None:
    """Who is to own what is made: whoever owns the home, and not the administrator."""
    if os.geteuid() != 0:
        return None
    if place.owner is not None:
        return place.owner, place.owner
    beside = source.directory if source else None
    for each in (directory, beside):
        if each is not None and each.is_dir():
            status = each.stat()
            return status.st_uid, status.st_gid
    return None


@contextmanager
def _alone(folder: Path, source: Location) -> Iterator[None]:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HomeError(f"another command is at work on {source.url} already") from None
        yield
    finally:
        os.close(handle)


def _state() -> Path:
    place = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(place).expanduser() / "greyhub" / "moves"
