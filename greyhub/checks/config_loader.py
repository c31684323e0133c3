"""Read a config file as traitlets does, with a trace of who wrote what."""

from __future__ import annotations

from typing import ClassVar

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader
from traitlets.utils import filefind

from greyhub.checks.provenance import Trace, caller
from greyhub.checks.traced_config import TracedConfig


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
