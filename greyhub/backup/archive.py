"""One backup is one archive: ``hub/…``, the private state, and what describes it."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any, Final
from urllib.parse import quote

from greyhub import __version__
from greyhub.errors import GreyHubError

FORMAT: Final = 1
ABOUT: Final = "backup.json"
STATE: Final = "hub"
DATABASE: Final = "database/jupyterhub.sqlite"
"""Where the hub's database is in an archive, if it is not in the state."""

SQLITE: Final = b"SQLite format 3\0"
BESIDE: Final = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a database. A copy by its own means holds what is in them."""

LEFT_OUT: Final = frozenset({"logs", "cluster-logs", "proxy.pid"})
"""What a hub makes anew."""


class BackupError(GreyHubError):
    """A backup cannot be made or restored."""


def write(to: IO[bytes], private: Path, database: Path | None = None) -> list[str]:
    """Write a backup, while the hub may run.

    Parameters
    ----------
    to : binary file
        Where it goes.
    private : Path
        The hub's private state.
    database : Path, optional
        The hub's database, where it is not in the state.

    Returns
    -------
    list of str
        The names of what is in it.

    Raises
    ------
    BackupError
        There is no state, or a database is damaged.
    """
    for path in (private, database or private):
        if not path.exists():
            raise BackupError(f"there is no {path}.\n  fix: start the hub once")
    parts = {f"{STATE}/{path.relative_to(private).as_posix()}": path for path in _files(private)}
    if database is not None and private not in database.parents:
        parts[DATABASE] = database
    written: list[str] = []
    with (
        TemporaryDirectory(prefix="greyhub-backup-") as directory,
        tarfile.open(fileobj=to, mode="w:gz") as archive,
    ):
        for name, path in sorted(parts.items()):
            with suppress(FileNotFoundError):  # what the hub has deleted meanwhile
                _add(archive, name, path, Path(directory) / "copy.sqlite")
                written.append(name)
        # As the last one: an archive without it was cut off.
        about = json.dumps({"format": FORMAT, "greyhub": __version__, "parts": written}).encode()
        entry = tarfile.TarInfo(ABOUT)
        entry.size, entry.mode = len(about), 0o600
        archive.addfile(entry, io.BytesIO(about))
    return written


def _files(private: Path) -> Iterator[Path]:
    for path in sorted(private.rglob("*")):
        inside = path.relative_to(private)
        if path.is_symlink() or not path.is_file() or inside.parts[0] in LEFT_OUT:
            continue
        beside = [path.name.removesuffix(end) for end in BESIDE if path.name.endswith(end)]
        if not any(path.with_name(name).exists() for name in beside):
            yield path


def _add(archive: tarfile.TarFile, name: str, path: Path, copy: Path) -> None:
    with path.open("rb") as file:
        is_database = file.read(len(SQLITE)) == SQLITE
    if is_database:
        copy_database(path, copy)
    with (copy if is_database else path).open("rb") as file:
        entry = archive.gettarinfo(arcname=name, fileobj=file)
        entry.mode = path.stat().st_mode & 0o700
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        archive.addfile(entry, file)


def copy_database(path: Path, copy: Path) -> None:
    """Copy a database as it is at one moment; who writes to it waits as long, and no longer.

    Raises
    ------
    BackupError
        It cannot be read, or what was read is damaged.
    """
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    try:
        source = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=60)
        with closing(source), closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        check_database(copy)
    except sqlite3.Error as error:
        raise BackupError(f"the database {path} cannot be copied: {error}") from error


def check_database(path: Path) -> None:
    """Raise a `sqlite3.Error` where a database is damaged."""
    with closing(sqlite3.connect(path)) as database:
        (said,) = database.execute("pragma quick_check(1)").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(said)


def read(archive: IO[bytes], directory: Path) -> dict[str, Any]:
    """Unpack a backup into an empty directory; what it says of itself.

    Raises
    ------
    BackupError
        It is no backup, not a whole one, or one of a later greyhub's.
    """
    found: dict[str, Any] = {}
    unpacked: set[str] = set()
    try:
        with tarfile.open(fileobj=archive, mode="r:gz") as opened:
            for entry in opened:
                content = opened.extractfile(entry)
                if content is None:
                    continue
                if entry.name == ABOUT:
                    found = json.loads(content.read())
                    if found["format"] != FORMAT:
                        raise BackupError(
                            f"this backup is of greyhub {found['greyhub']}.\n"
                            "  fix: restore it with that version"
                        )
                    continue
                _unpack(content, entry, directory)
                unpacked.add(entry.name)
        if not found or set(found["parts"]) != unpacked:
            raise BackupError("it is not the whole of a backup: choose another one")
        for name in unpacked:
            path = directory / name
            if path.read_bytes()[: len(SQLITE)] == SQLITE:
                check_database(path)
    except (tarfile.TarError, EOFError, OSError, ValueError, KeyError, sqlite3.Error) as error:
        raise BackupError(f"it is no backup that can be read: {error}") from error
    return found


def _unpack(content: IO[bytes], entry: tarfile.TarInfo, directory: Path) -> None:
    name = PurePosixPath(entry.name)
    if name.is_absolute() or ".." in name.parts:
        raise BackupError(f"it is no backup of greyhub's: it holds {entry.name}")
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=entry.mode & 0o700)
    with path.open("wb") as file:
        while chunk := content.read(2**20):
            file.write(chunk)
