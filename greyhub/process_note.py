"""Note which process runs, and with which settings, for the program that starts next."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from greyhub.json_file import write_json
from greyhub.spawners import process


@dataclass(frozen=True)
class ProcessNote:
    """A process, as a file says."""

    pid: int
    created: float | None
    """When it was started: its number may be another process's by now."""

    wanted: str
    """The digest of the settings that it was started with."""

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return process.alive(self.pid, self.created)


def digest_of(settings: Any) -> str:
    """Tells JSON values from others, and shows none of them."""
    return hashlib.sha256(json.dumps(settings).encode()).hexdigest()


def read_note(path: Path) -> ProcessNote | None:
    """What a file says, or None where there is none that can be read."""
    try:
        return ProcessNote(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_note(path: Path, pid: int, wanted: str) -> None:
    """Note a process that was just started.

    Raises
    ------
    psutil.Error
        The system does not tell when it was started.
    """
    write_json(path, asdict(ProcessNote(pid, process.created(pid), wanted)))
