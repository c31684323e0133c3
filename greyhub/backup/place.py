"""Where backups are kept: a directory, or any store that fsspec knows by a URL."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

from greyhub.backup.archive import BackupError

NAME: Final = re.compile(r"greyhub-\d{8}T\d{6}Z\.tar\.gz")


class Place:
    """Backups by name, of which the last ones are kept.

    Parameters
    ----------
    where : str
        A directory, or an fsspec URL: ``s3://backups/science``. What it takes to log in comes from
        the environment, as its package reads it, or as ``FSSPEC_S3`` gives it.
    """

    def __init__(self, where: str) -> None:
        from fsspec.core import url_to_fs

        if "://" in where and urlsplit(where).password is not None:
            raise BackupError(
                "there is a password in the URL, which others see in the list of processes.\n"
                "  fix: leave it out, and give it in the environment, as FSSPEC_S3 for example"
            )
        self.where = where.rstrip("/") if "://" in where else str(Path(where).absolute())
        try:
            self._store, self._root = url_to_fs(self.where)
        except (ImportError, ValueError) as error:
            raise BackupError(
                f"{self.where} cannot be reached from here: {error}.\n"
                "  fix: install the package of this kind of store where backups are made"
            ) from error
        self._local = "file" in _protocols(self._store)

    def put(self, path: Path) -> str:
        """Keep a file as the newest backup; its name."""
        name = time.strftime("greyhub-%Y%m%dT%H%M%SZ.tar.gz", time.gmtime())
        with self._told():
            if self._local:
                Path(self._root).mkdir(parents=True, exist_ok=True, mode=0o700)
                partial = Path(self._root) / f".{name}.partial"
                partial.touch(mode=0o600)
                shutil.copyfile(path, partial)
                with partial.open("rb") as file:
                    os.fsync(file.fileno())
                partial.rename(Path(self._root) / name)
            else:
                self._store.put_file(str(path), f"{self._root}/{name}")
        return name

    def names(self) -> list[str]:
        """The backups that are there, the oldest first."""
        with self._told():
            self._store.invalidate_cache()
            try:
                found = self._store.ls(self._root, detail=False)
            except FileNotFoundError:
                return []
        names = (str(each).rstrip("/").rpartition("/")[2] for each in found)
        return sorted(name for name in names if NAME.fullmatch(name))

    def prune(self, keep: int) -> list[str]:
        """Delete all backups but the newest; the names of those that are gone."""
        old = self.names()[:-keep]
        with self._told():
            for name in old:
                self._store.rm_file(f"{self._root}/{name}")
        return old

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Read a backup."""
        with self._told(), self._store.open(f"{self._root}/{name}", "rb") as file:
            yield file

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What a store's package raises, in words: these have no class in common."""
        try:
            yield
        except BackupError:
            raise
        except Exception as error:
            raise BackupError(
                f"{self.where} does not do what it is asked for: {type(error).__name__}: {error}\n"
                "  fix: look at the address, and at the variables with what it takes to log in"
            ) from error


def _protocols(store: Any) -> tuple[str, ...]:
    said = store.protocol
    return (said,) if isinstance(said, str) else tuple(said)
