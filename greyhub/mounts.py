"""Tell whether what a directory should be on is mounted."""

from __future__ import annotations

import os
import re
from pathlib import Path

FSTAB = Path("/etc/fstab")


def unmounted(directory: Path) -> Path | None:
    """The place above a directory that this machine mounts at its start, and that is not mounted.

    What is not mounted at the start, ``noauto``, may be meant to be away.
    """
    try:
        lines = FSTAB.read_text(errors="replace").splitlines()
    except OSError:
        return None
    above = {directory, *directory.parents}
    for line in lines:
        fields = line.partition("#")[0].split()
        options = fields[3].split(",") if len(fields) > 3 else []
        if len(fields) > 1 and fields[1].startswith("/") and "noauto" not in options:
            place = Path(_unescaped(fields[1]))
            if place in above and not os.path.ismount(place):
                return place
    return None


def _unescaped(name: str) -> str:
    r"""A name of the table, in which a space is ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), name)
