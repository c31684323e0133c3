"""Hooks for catalogues that are Intake's YAML files, on a disk or behind a URL."""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from greyhub.conformance.data.datasets import Dataset
from greyhub.conformance.data.intake_formats import document
from greyhub.conformance.testkit.audit import FileWatcher, audited
from greyhub.conformance.testkit.faults import FaultProxy


class OnDisk:
    """A mixin for a suite: ``class TestMine(OnDisk, DataSuite)``.

    The option that says where the catalogue is gets `catalog`: ``config`` is a
    property or a method then.
    """

    version: int

    folder: Any

    @property
    def root(self) -> Path:
        """The directory of the catalogue and its data."""
        return Path(self.folder.name) / "published"

    @property
    def catalog(self) -> str:
        """Where the catalogue is: a path, or a URL."""
        return self.place()

    def place(self, path: str = "catalog.yaml") -> str:
        """Where a document is."""
        return str(self.root / path)

    def prepare(self) -> None:
        """Watch the files."""
        super().prepare()  # type: ignore[misc]
        self.root.mkdir()
        self.files = FileWatcher(self.root)
        self._audit = audited(self.files.hear)
        self._audit.__enter__()

    def cleanup(self) -> None:
        """Watch no more."""
        self._audit.__exit__(None, None, None)
        super().cleanup()  # type: ignore[misc]

    def publish(self, datasets: Mapping[str, Dataset]) -> None:
        """A document, and the files."""
        for each in datasets.values():
            for path, content in each.files.items():
                put(self.root / path, content)
        self.write({"catalog.yaml": document(self.version, datasets)})

    def write(self, documents: Mapping[str, bytes]) -> None:
        """Documents, and no others; each comes to be all at once."""
        for path in self.root.glob("*.yaml"):
            if path.name not in documents:
                path.unlink()
        for name, content in documents.items():
            put(self.root / name, content)

    def content(self) -> dict[str, Any]:
        """Every file, with its bytes, its mode and when it was changed."""
        found: dict[str, Any] = {}
        for path in sorted(self.root.rglob("*")):
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_mode) if path.is_file() else status.st_mode
            found[str(path.relative_to(self.root))] = (
                stamp,
                path.read_bytes() if path.is_file() else None,
            )
        return found

    def touched(self) -> Collection[str]:
        """The files of data that this process has opened."""
        return {path for path in self.files.opened if path.startswith("data/") and "/." not in path}

    def damage(self, path: str, how: str) -> AbstractContextManager[Any]:
        """A file that is not there, or that may not be opened; the latter holds for root too."""
        return self._aside(path) if how == "missing" else self.files.forbidden(path)

    @contextmanager
    def _aside(self, path: str) -> Iterator[None]:
        place, aside = self.root / path, Path(self.folder.name) / "aside"
        place.rename(aside)
        try:
            yield
        finally:
            aside.rename(place)

    def sweep(self) -> None:
        """An empty catalogue, and no data."""
        super().sweep()  # type: ignore[misc]
        shutil.rmtree(self.root / "data", ignore_errors=True)


class Served(OnDisk):
    """The same behind a URL: over HTTP, with a proxy in between that breaks what it is told to."""

    proxy: FaultProxy

    def prepare(self) -> None:
        """Serve the directory."""
        super().prepare()
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(self.root))
        )
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self._proxy = FaultProxy(f"http://127.0.0.1:{self.server.server_address[1]}")

    def cleanup(self) -> None:
        """Serve no more."""
        self.server.shutdown()
        self.server.server_close()
        super().cleanup()

    def place(self, path: str = "catalog.yaml") -> str:
        """A document's URL."""
        return f"{self.proxy.url}/{path}"

    def touched(self) -> Collection[str]:
        """The files of data that were asked for; to ask whether one is there is not to read it."""
        found: Collection[str] = super(OnDisk, self).touched()  # type: ignore[misc]
        return found

    def damage(self, path: str, how: str) -> AbstractContextManager[Any]:
        """A file that is not there, or that the server refuses, or that breaks on its way."""
        if how == "missing":
            return self._aside(path)
        broken: AbstractContextManager[Any] = super(OnDisk, self).damage(path, how)  # type: ignore[misc]
        return broken


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def put(place: Path, content: bytes) -> None:
    """Write a file, all at once."""
    place.parent.mkdir(parents=True, exist_ok=True)
    building = place.with_name(f".{place.name}.new")
    building.write_bytes(content)
    os.replace(building, place)
