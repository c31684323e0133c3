"""The registry of homes: for each user, the location that was decided on first use.

A template that changes later moves nobody: what stands in the registry is never
computed again. The registry is one JSON file that only the hub reads and writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from greyhub.errors import HomeError
from greyhub.json_file import locked, write_json


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
        with locked(self.path):
            known = self.read()
            if user not in known:
                others = [name for name, where in known.items() if where == url]
                if alone and others:
                    raise HomeError(
                        f"the home of {user} would be that of {others[0]}: {url}.\n"
                        "  fix: write the names of homes so that no two users have the same"
                    )
                write_json(self.path, {**known, user: url})
            return known.get(user, url)

    def move(self, user: str, url: str | None) -> None:
        """From now on a user's home is there; with None, it is decided anew."""
        self.move_all({user: url})

    def move_all(self, homes: Mapping[str, str | None]) -> None:
        """Move the homes of several users in one step."""
        with locked(self.path):
            known = {**self.read(), **homes}
            kept = {name: where for name, where in known.items() if where is not None}
            write_json(self.path, kept)
