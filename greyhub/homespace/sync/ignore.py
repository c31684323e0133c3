"""What of a home stays on the machine: caches and environments, and what the user says.

Rules are written as in ``.gitignore``, in the file ``.greyignore`` at the top of
the home. They come after the defaults, so ``!.venv/`` takes one back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greyhub.homespace.sync.keys import RESERVED

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FILE: Final = ".greyignore"

DEFAULTS: Final = (
    # Made again by whoever needs them, and often larger than all the rest.
    ".cache/",
    "__pycache__/",
    "*.py[co]",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".tox/",
    ".nox/",
    "node_modules/",
    ".npm/",
    ".venv/",
    "venv/",
    ".conda/pkgs/",
    ".conda/envs/",
    "miniconda3/",
    "miniforge3/",
    "anaconda3/",
    ".ipython/profile_*/pid/",
    ".ipython/profile_*/security/",
    ".local/share/jupyter/runtime/",
    ".local/share/Trash/",
    "lost+found/",
    "dask-scratch-space/",
    "dask-worker-space/",
    # Leftovers of editors and of network file systems.
    ".nfs*",
    ".fuse_hidden*",
    ".*.sw[opx]",
    ".~lock.*#",
)


class Rules:
    """The ignore rules of one home.

    Parameters
    ----------
    lines : Sequence[str]
        The user's own rules.
    defaults : Sequence[str]
        The rules before them.
    """

    def __init__(self, lines: Sequence[str] = (), defaults: Sequence[str] = DEFAULTS) -> None:
        from pathspec import GitIgnoreSpec

        self.lines = tuple(lines)
        self.spec: GitIgnoreSpec = GitIgnoreSpec.from_lines([*defaults, *_readable(self.lines)])

    @classmethod
    def of(cls, home: Path) -> Rules:
        """The rules of a home as they are written now; without a file, the defaults."""
        try:
            text = (home / FILE).read_text(errors="surrogateescape")
        except (OSError, ValueError):
            text = ""
        return cls(text.splitlines())

    def skip(self, path: str, *, folder: bool) -> bool:
        """Whether one path is left alone; its parents are not looked at."""
        if path == RESERVED or path.startswith(RESERVED + "/"):
            return True
        return self.spec.match_file(f"{path}/" if folder else path)

    def skips(self, path: str, *, folder: bool = False) -> bool:
        """Whether a path, or any folder that it is in, is left alone."""
        parts = path.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        return any(self.skip(each, folder=True) for each in above) or self.skip(path, folder=folder)


def _readable(lines: Sequence[str]) -> list[str]:
    """The rules that can be understood: one bad line does not undo the others."""
    from pathspec import GitIgnoreSpec

    kept = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        kept.append(line)
    return kept
