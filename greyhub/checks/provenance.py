"""Record the file and line at which each option was set.

JupyterHub reads its config file with traitlets' loader, which hands the file a
plain `Config`. The loader here hands it one that remembers who wrote to it, so
that a place is known however the line is written: in a loop, by a helper in
another module, in a ``load_subconfig`` file. Where it is not known it is
absent, never guessed.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from traitlets.config import Config
from traitlets.config import loader as traitlets_loader
from traitlets.config.loader import LazyConfigValue, PyFileConfigLoader
from traitlets.utils import filefind

_OWN = {__file__, traitlets_loader.__file__}

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
    """The line outside this module and traitlets that is being executed."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename in _OWN:
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return Location(frame.f_code.co_filename, frame.f_lineno)


class TracedConfig(Config):
    """A `Config` that tells its trace of every write."""

    def __init__(
        self, *args: Any, trace: Trace | None = None, path: Names = (), **values: Any
    ) -> None:
        self.__dict__.update(_trace=trace, _path=path)
        super().__init__(*args, **values)

    def __getitem__(self, key: str) -> Any:
        trace, path = self.__dict__["_trace"], (*self.__dict__["_path"], key)
        if trace is not None and key not in self and _is_section(key):
            dict.__setitem__(self, key, TracedConfig(trace=trace, path=path))
        value = super().__getitem__(key)
        if trace is not None and isinstance(value, LazyConfigValue):
            trace.touched(path)
        return value

    def __setitem__(self, key: str, value: Any) -> None:
        trace, path = self.__dict__["_trace"], (*self.__dict__["_path"], key)
        if trace is not None:
            value = self._followed(path, value)
        super().__setitem__(key, value)

    def _followed(self, path: Names, value: Any) -> Any:
        trace: Trace = self.__dict__["_trace"]
        if not (_is_section(path[-1]) and isinstance(value, Config)):
            trace.wrote(path)
            return value
        section = TracedConfig(trace=trace, path=path)
        section.merge(value)
        return section

    def merge(self, other: Any) -> None:
        """As a `Config`'s; what another file wrote keeps its place there."""
        trace = trace_of(self)
        with trace.paused() if trace and trace_of(other) is trace else nullcontext():
            super().merge(other)

    def update(self, *args: Any, **values: Any) -> None:
        """As a mapping's; a section may be given as a plain mapping."""
        for key, value in dict(*args, **values).items():
            if _is_section(key) and isinstance(value, dict) and not isinstance(value, Config):
                value = Config(value)
            self[key] = value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """As a mapping's."""
        if key not in self:
            self[key] = default
        return self[key]

    def __ior__(self, other: Any) -> TracedConfig:  # type: ignore[misc]
        self.update(other)
        return self


def _is_section(key: str) -> bool:
    return bool(key) and key[0].upper() == key[0] and not key.startswith("_")


def trace_of(config: Mapping[str, Any]) -> Trace | None:
    """The trace that a config file's ``c`` tells, if it was read by `Loader`."""
    trace: Trace | None = getattr(config, "__dict__", {}).get("_trace")
    return trace


class Loader(PyFileConfigLoader):
    """Reads a config file as traitlets does, with a trace."""

    reading: ClassVar[list[Loader]] = []
    """The files that are being read now, the outermost first."""

    latest: ClassVar[Trace | None] = None
    """The trace of the file that was read last, with all its parts."""

    trace: Trace | None = None

    def clear(self) -> None:
        """Begin with an empty configuration."""
        self.config = TracedConfig(trace=self.trace)

    def load_config(self) -> Config:
        """Execute the file."""
        if self.reading:
            self.trace = self.reading[0].trace
        else:
            self.trace = Loader.latest = Trace()
        self.reading.append(self)
        try:
            return super().load_config()
        finally:
            self.reading.pop()
            if not self.reading and self.trace:
                self.trace.close()

    def _read_file_as_dict(self) -> None:
        assert self.trace is not None
        self.trace.files.append(self.full_filename)
        super()._read_file_as_dict()

    def load_subconfig(self, fname: str, path: str | None = None) -> None:
        """Injected into the file: read another one here. A missing one is remembered."""
        assert self.trace is not None
        try:
            filefind(fname, path or self.path)
        except OSError:
            self.trace.missing.append((fname, caller()))
        super().load_subconfig(fname, path)
