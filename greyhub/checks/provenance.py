"""Record the file and line at which each option was set.

JupyterHub reads its config file with traitlets' loader, which hands the file a
plain `Config`. `greyhub.checks.config_loader` hands it one that tells a `Trace`
of every write, so that a place is known however the line is written: in a loop,
by a helper in another module, in a ``load_subconfig`` file. Where it is not
known it is absent, never guessed.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from traitlets.config import loader as traitlets_loader

_OWN = {
    __name__,
    "greyhub.checks.traced_config",
    "greyhub.checks.config_loader",
    traitlets_loader.__name__,
}
"""The modules that stand between a line of a config file and its trace."""

Names = tuple[str, ...]
"""The names on the way to an option: ``("Spawner", "mem_limit")``."""


class Location(NamedTuple):
    """A line of a file; 0 where the line is not known."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        name = os.path.relpath(self.file)
        shown = self.file if name.startswith("..") else name
        return f"{shown}:{self.line}" if self.line else shown


class Trace:
    """The file and line of each assignment, in order."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.missing: list[tuple[str, Location | None]] = []
        """The ``load_subconfig`` files that were not there."""
        self.late: list[Names] = []
        """What was set after ``compose``."""
        self.composed: Any = None
        """The `greyhub.composition.Composition`, once there is one."""
        self._set: dict[Names, list[Location]] = {}
        self._touched: dict[Names, Location] = {}
        self._paused = 0

    def wrote(self, path: Names) -> None:
        """An option was assigned."""
        if self._paused:
            return
        if place := caller():
            self._set.setdefault(path, []).append(place)
        if self.composed is not None:
            self.late.append(path)

    def touched(self, path: Names) -> None:
        """An option was read; often to append to it."""
        if not self._paused and (place := caller()):
            self._touched[path] = place

    def trees(self) -> Iterator[tuple[str, ast.Module]]:
        """Each file that was read and can be parsed, with its syntax tree."""
        for file in self.files:
            try:
                yield file, ast.parse(Path(file).read_bytes())
            except (OSError, SyntaxError):
                continue

    def find(self, *path: str) -> Location | None:
        """Where an option got the value that it has."""
        places = self._set.get(path)
        return places[-1] if places else self._touched.get(path)

    def twice(self) -> Iterator[tuple[Names, list[Location]]]:
        """The options that were assigned more than once, with every place."""
        return ((path, places) for path, places in self._set.items() if len(places) > 1)

    def close(self) -> None:
        """The files have been read: what is written from now on is JupyterHub's own."""
        self._paused += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is written meanwhile is greyhub's own."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1


def caller() -> Location | None:
    """The line outside these modules and traitlets that is being executed."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__") in _OWN:
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return Location(frame.f_code.co_filename, frame.f_lineno)
