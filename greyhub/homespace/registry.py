"""The registry of homes: for each user, the location that was decided on first use.

A template that changes later moves nobody: what stands in the registry is never
computed again. The registry is one JSON file that only the hub reads and writes.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from greyhub.errors import HomeError


class HomeRegistry:
    """URLs of homes by user name.

    Parameters
    ----------
    path : Path
        The file. It is made when the first home is remembered.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        """Every user's URL.

        Raises
        ------
        greyhub.errors.HomeError
            The file cannot be read. Nobody is given another home because of that.
        """
        try:
            found = json.loads(self.path.read_text())
            if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
                raise ValueError("it is no mapping of names to URLs")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise HomeError(
                f"the registry of homes {self.path} cannot be read: {error}.\n"
                "  fix: bring it back from a backup; it says where each user's home is"
            ) from error
        return found

    def remember(self, user: str, url: str, *, alone: bool = False) -> str:
        """The URL of a user's home: the one that is known, or else this one from now on.

        Raises
        ------
        greyhub.errors.HomeError
            It is to be ``alone`` there, and another user's home is there.
        """
        with self._locked():
            known = self.read()
            if user not in known:
                others = [name for name, where in known.items() if where == url]
                if alone and others:
                    raise HomeError(
                        f"the home of {user} would be that of {others[0]}: {url}.\n"
                        "  fix: write the names of homes so that no two users have the same"
                    )
                self._write({**known, user: url})
            return known.get(user, url)

    def move(self, user: str, url: str | None) -> None:
        """From now on a user's home is there; with None, it is decided anew."""
        self.move_all({user: url})

    def move_all(self, homes: Mapping[str, str | None]) -> None:
        """Move the homes of several users in one step."""
        with self._locked():
            known = {**self.read(), **homes}
            self._write({name: where for name, where in known.items() if where is not None})

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.path.with_suffix(".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, homes: dict[str, str]) -> None:
        number, name = tempfile.mkstemp(prefix=".homes-", dir=self.path.parent)
        try:
            with os.fdopen(number, "w") as file:
                json.dump(homes, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)
            raise
