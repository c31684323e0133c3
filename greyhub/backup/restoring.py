"""Put a backup in the place of what a hub remembers. The hub must not run."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import IO

from greyhub.backup.archive import DATABASE, STATE, BackupError, read


def restore(archive: IO[bytes], private: Path, database: Path | None = None) -> Path | None:
    """Replace the private state; what was there is kept beside it.

    Parameters
    ----------
    archive : binary file
        The backup.
    private : Path
        The hub's private state.
    database : Path, optional
        Where the hub's database is, if not in the state.

    Returns
    -------
    Path or None
        Where the former state is now, if there was one.

    Raises
    ------
    greyhub.backup.archive.BackupError
        Nothing was changed.
    """
    private.parent.mkdir(parents=True, exist_ok=True)
    new = private.with_name(f".{private.name}-restoring")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    try:
        read(archive, new)
        elsewhere = new / DATABASE
        if elsewhere.exists() and database is None:
            raise BackupError(
                "this backup's database was not in the state.\n"
                "  fix: say which hub it is: greyhub restore -f"
            )
        if not (new / STATE).is_dir():
            raise BackupError("there is no state in this backup")
        word = time.strftime("before-%Y%m%dT%H%M%SZ", time.gmtime())
        if elsewhere.exists() and database is not None:
            if database.exists():
                database.rename(database.with_name(f"{database.name}.{word}"))
            os.replace(elsewhere, database)
        former = private.with_name(f"{private.name}.{word}") if private.exists() else None
        if former:
            private.rename(former)
        (new / STATE).rename(private)
        return former
    finally:
        shutil.rmtree(new, ignore_errors=True)
