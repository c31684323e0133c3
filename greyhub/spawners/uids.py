"""Allocate a uid to every user, without a system account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from greyhub.errors import ConfigError
from greyhub.json_file import locked, write_json


class UidTable:
    """The table of uids, kept in a file: a user's uid never changes or passes to another.

    Only an administrator's command passes it on, together with the home: `pass_on`.

    Parameters
    ----------
    path : Path
        The file; JSON from name to uid.
    first, last : int
        The range that uids are taken from, both ends included.
    """

    def __init__(self, path: Path, first: int, last: int) -> None:
        self.path, self.first, self.last = path, first, last

    def uid(self, name: str) -> int:
        """The uid of a user: the one it has, or the next that nobody ever had."""
        with locked(self.path):
            table = self.read()
            if name not in table:
                uid = max([self.first - 1, *table.values()]) + 1
                if uid > self.last:
                    raise ConfigError(
                        f"all uids from {self.first} to {self.last} are given out",
                        where="c.LocalSpawner.last_uid",
                        fix="raise it to the end of a range that nothing else uses",
                    )
                write_json(self.path, {**table, name: uid})
                return uid
            return table[name]

    def read(self) -> dict[str, int]:
        """Every user's uid."""
        table: dict[str, int] = json.loads(self.path.read_text()) if self.path.exists() else {}
        return table

    def pass_on(self, uids: Mapping[str, int | None]) -> None:
        """Users have these uids from now on, or with None no uid yet, all in one step."""
        with locked(self.path):
            table = {**self.read(), **uids}
            kept = {name: uid for name, uid in table.items() if uid is not None}
            write_json(self.path, kept)
