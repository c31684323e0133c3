"""Create directories that users' servers pass through, whatever the umask is."""

from __future__ import annotations

from pathlib import Path

PASSABLE = 0o711
"""Others pass through, and see no names."""

OPEN = 0o755
"""What stands above: as it is by default where the umask is the usual one."""


def make_passable(path: Path) -> None:
    """Make a directory, and those above it that are missing, for all to pass through.

    What is there already keeps its mode. A mode that is given to ``mkdir`` loses what
    the umask takes: under 027, as some machines have it, users would be shut out.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        mode = PASSABLE if each == path else OPEN
        try:
            each.mkdir(mode)
        except FileExistsError:
            continue  # another was first, and gives it its mode
        each.chmod(mode)
