"""SQLite databases and their write-ahead logs, which are synced as one.

A database in use is sent as one file that holds its last commit: what is beside
it stays on the machine. The snapshot has the very bytes that the database will
have when its user closes it, so it is not sent twice.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import quote

HEAD: Final = b"SQLite format 3\0"

BESIDE: Final = ("-wal", "-shm", "-journal")


class InUse(Exception):
    """The database is locked: try again later."""


def is_database(path: str | Path) -> bool:
    """Whether a file begins as sqlite's do."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.pread(handle, len(HEAD), 0) == HEAD
    except OSError:
        return False
    finally:
        os.close(handle)


def is_beside(path: str) -> bool:
    """Whether a file is what sqlite keeps beside a database that is there."""
    return main_of(path) != path and is_database(main_of(path))


def main_of(path: str) -> str:
    """The database that a file would be beside of by its name; any other is its own."""
    return next((path.removesuffix(each) for each in BESIDE if path.endswith(each)), path)


def beside(path: str) -> str:
    """The state of a database's log; nothing if it has none, or is no database."""
    states = []
    for suffix in ("-wal", "-journal"):
        try:
            status = os.lstat(path + suffix)
        except OSError:
            continue
        if status.st_size:
            states.append(f"{suffix}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}")
    return " ".join(states) if states and is_database(path) else ""


def snapshot(path: Path, copy: Path) -> None:
    """Make one file of a database and its log, as of its last commit.

    Raises
    ------
    InUse
        It is locked, or was written while it was copied.
    """
    import sqlite3

    database = sqlite3.connect(_uri(path), uri=True, timeout=5, isolation_level=None)
    try:
        # While this reads, a log is only added to; without a log, nothing is written.
        database.execute("begin")
        database.execute("select 1 from sqlite_master").fetchone()
        logged = database.execute("pragma journal_mode").fetchone()[0] == "wal"
        before = os.stat(path)
        shutil.copyfile(path, copy)  # first: all that a checkpoint moves is in the log too
        if logged:
            if os.path.exists(f"{path}-wal"):
                shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        elif _times(os.stat(path)) != _times(before):
            raise InUse("it was written meanwhile")
    except sqlite3.OperationalError as error:
        raise InUse(str(error)) from error
    except sqlite3.DatabaseError:
        shutil.copyfile(path, copy)  # it only looks like a database: a file like any other
        return
    finally:
        database.close()
    if logged:
        folded = sqlite3.connect(copy)
        try:
            folded.execute("pragma wal_checkpoint(truncate)")
        finally:
            folded.close()


def released(path: Path) -> bool:
    """Whether nobody uses a database; if so, what was beside it is in it now.

    A file that is no database, or has nothing beside it, is released.
    """
    import sqlite3

    files = [f"{path}{suffix}" for suffix in BESIDE if os.path.lexists(f"{path}{suffix}")]
    if not files or not is_database(path):
        return True
    try:
        database = sqlite3.connect(_uri(path), uri=True, timeout=0, isolation_level=None)
        try:
            database.execute("pragma wal_checkpoint(truncate)")
            database.execute("begin exclusive")
            database.execute("rollback")
        finally:
            database.close()  # the last one to close takes the log away
    except sqlite3.Error:
        return False
    return not any(os.path.lexists(file) for file in files)


def delete(path: Path) -> None:
    """Delete a database and what is beside it."""
    for suffix in ("", *BESIDE):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _uri(path: Path) -> str:
    return f"file:{quote(os.fsencode(path))}?mode=rw"


def _times(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino
