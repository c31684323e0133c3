"""A configuration that tells a trace who wrote to it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from greyhub.checks.provenance import Names, Trace


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
