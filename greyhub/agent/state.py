"""What an agent keeps in its directory.

``settings.json``
    What the setup script says: the hub's address, the nonce. Nothing of it is secret.
``keys``
    The private keys.
``run.json``
    The run that was begun last, its port, and how it ended.
``registered``
    Empty: the keys are known to the hub, by the nonce whose hash is the file's text.
``files/``, ``server.log``
    The server's certificates, and what it says.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from greyhub.rendezvous.protocol import Keys, hashed


class State:
    """An agent's directory.

    Parameters
    ----------
    directory : Path
        It is there, with its settings.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.settings: dict[str, Any] = json.loads((directory / "settings.json").read_text())
        self.log = directory / "server.log"
        self.files = directory / "files"

    def keys(self) -> Keys:
        """The agent's keys, which are made where there are none."""
        path = self.directory / "keys"
        if not path.exists():
            self._write(path, Keys.make().dumps())
        return Keys.loads(path.read_text())

    @property
    def registered(self) -> bool:
        """Whether the hub has taken the keys with the nonce of the settings."""
        path = self.directory / "registered"
        return path.exists() and path.read_text() == self._nonce()

    def note_registered(self) -> None:
        """The hub has taken the keys."""
        self._write(self.directory / "registered", self._nonce())

    def _nonce(self) -> str:
        return hashed(self.settings["nonce"])

    def run(self) -> dict[str, Any]:
        """The last run: ``run``, ``port``, and ``status`` if it has ended."""
        try:
            found: dict[str, Any] = json.loads((self.directory / "run.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def note_run(self, **fields: Any) -> None:
        """Write down a run."""
        self._write(self.directory / "run.json", json.dumps(fields))

    def write_file(self, name: str, text: str, uid: int | None) -> None:
        """A file for the server, of its account's alone."""
        if Path(name).name != name or name in ("", ".", ".."):
            raise ValueError(f"the hub sent a file with the name {name!r}")
        self.files.mkdir(mode=0o711, exist_ok=True)
        self._write(self.files / name, text, uid)

    def remove_files(self) -> None:
        """The server's files, when it has ended."""
        for path in self.files.glob("*"):
            path.unlink()

    @staticmethod
    def _write(path: Path, text: str, uid: int | None = None) -> None:
        """Whole or not at all, also where the power goes, and for its owner alone."""
        building = path.with_name(f"{path.name}.new")
        building.unlink(missing_ok=True)
        with os.fdopen(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            if uid is not None:
                os.fchown(new.fileno(), uid, -1)
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        building.replace(path)
        # Keys that are lost after the hub has taken them cannot be shown to it again.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
