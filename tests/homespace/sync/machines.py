"""A machine with a server on it: its disk, and the process that keeps the home there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from greyhub.homespace.sync import client
from greyhub.homespace.sync.keys import RESERVED
from greyhub.homespace.sync.supervisor import Supervisor
from greyhub.homespace.synced_home import SyncedHome
from greyhub.ticket import Ticket
from tests.homespace.filesystem.places import Place
from tests.support.waiting import MINUTE, until


class Machine:
    """One disk, on which servers of the user start and end.

    Parameters
    ----------
    directory : Path
        The disk.
    place : Place
        The home's store.
    quota : Mapping[str, int]
        As in a ticket.
    options : Mapping[str, Any], optional
        Of the store's filesystem, in place of the place's own: by way of a proxy.
    """

    def __init__(
        self,
        directory: Path,
        place: Place,
        quota: Mapping[str, int] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.ticket = {
            "url": place.url(),
            "storage_options": dict(options or place.options),
            "mode": "sync",
            "directory": str(directory),
            "quota": dict(quota or {}),
            "grace": MINUTE,
        }
        self.home, self.state = directory / client.FILES, directory / client.STATE
        self.supervisors: list[Supervisor] = []

    def start(self, *, wait: bool = True) -> Machine:
        """Start a server; by default, wait until all of the home is here."""
        supervisor = Supervisor(Ticket("homespace", "", self.ticket), os.environ)
        self.supervisors.append(supervisor)
        if wait:
            supervisor.wait()
            supervisor.stay()
            until(lambda: client.status(self.state)["complete"], what="the whole home")
        return self

    @property
    def hub_home(self) -> SyncedHome:
        """What ``hub.home`` is here."""
        return SyncedHome(str(self.home.parent), self.ticket)

    def status(self) -> Mapping[str, Any]:
        return client.status(self.state)

    def sync(self) -> Mapping[str, Any]:
        return self.hub_home.sync(2 * MINUTE)

    def stop(self) -> int:
        """End the last server; the exit status of what kept its home."""
        supervisor = self.supervisors.pop()
        supervisor.end()
        return supervisor.process.returncode

    def kill(self) -> None:
        """End what keeps the home as a machine that loses its power does."""
        supervisor = self.supervisors.pop()
        supervisor.ending.set()
        supervisor.process.kill()
        supervisor.process.wait()

    def end(self) -> None:
        while self.supervisors:
            self.kill()


def tree(home: Path) -> dict[str, Any]:
    """All that a user sees of a home: kinds, contents, modes, times."""
    seen: dict[str, Any] = {}
    for folder, folders, names in os.walk(home):
        if RESERVED in folders and Path(folder) == home:
            folders.remove(RESERVED)
        if "__pycache__" in folders:
            folders.remove("__pycache__")  # ignored, as every cache is
        for name in [*folders, *names]:
            path = Path(folder) / name
            status = path.lstat()
            mode, key = stat.S_IMODE(status.st_mode), str(path.relative_to(home))
            if path.is_symlink():
                seen[key] = ("link", os.readlink(path))
            elif path.is_dir():
                seen[key] = ("folder", mode)
            else:
                seen[key] = ("file", path.read_bytes(), mode, status.st_mtime_ns)
    return seen


def furnish(home: Path) -> None:
    """One of everything that a home must not lose."""
    (home / "notes/deep/er").mkdir(parents=True)
    (home / "empty").mkdir(mode=0o750)
    (home / "notes/a.txt").write_text("a")
    (home / "notes/deep/er/é ü.ipynb").write_text("{}")
    (home / "run.sh").write_text("#!/bin/sh\n")
    (home / "run.sh").chmod(0o755)
    (home / "secret").write_text("s")
    (home / "secret").chmod(0o600)
    os.utime(home / "run.sh", ns=(1_500_000_000_123_456_789, 1_500_000_000_123_456_789))
    (home / "link").symlink_to("notes/a.txt")
    (home / "broken").symlink_to("/nowhere/at all")
    (home / "zero").write_bytes(b"")
