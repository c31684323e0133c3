"""Ignore rules: the defaults, and the user's ``.greyignore``.

Rules are written as in ``.gitignore``, in the file ``.greyignore`` at the top of
the home. They come after the defaults, so ``!.venv/`` takes one back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greyhub.homespace.sync.keys import RESERVED

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FILE: Final = ".greyignore"

MANY: Final = 1000
"""Folders of which it is remembered whether they are left alone."""

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
        self._folders: dict[str, bool] = {}
        self.spec: GitIgnoreSpec = GitIgnoreSpec.from_lines([*defaults, *_readable(self.lines)])
        self._any = _any(self.spec)

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
        path = f"{path}/" if folder else path
        if self._any is not None and not self._any.match(path):
            return False  # as nearly all: one question in place of one for each rule
        return self.spec.match_file(path)

    def skips(self, path: str, *, folder: bool = False) -> bool:
        """Whether a path, or any folder that it is in, is left alone."""
        above = path.rpartition("/")[0]
        return (above != "" and self._inside(above)) or self.skip(path, folder=folder)

    def _inside(self, folder: str) -> bool:
        """Whether a folder, or any that it is in, is left alone: asked for all that is in it."""
        known = self._folders.get(folder)
        if known is None:
            if len(self._folders) > MANY:
                self._folders.clear()
            known = self._folders[folder] = self.skips(folder, folder=True)
        return known


def _any(spec: GitIgnoreSpec) -> re.Pattern[str] | None:
    """What matches whatever any rule would ignore; None if the rules are not to be joined."""
    rules = [each.regex.pattern for each in spec.patterns if each.include and each.regex]
    try:
        return re.compile("|".join(re.sub(r"\?P<\w+>", "?:", str(rule)) for rule in rules))
    except re.error:
        return None


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
