"""Fixtures of the data slot.

folder
    A directory with ``rain.csv`` and ``wind.csv``, in which `write` puts catalogues.
write
    Writes a catalogue, dedented, and returns its path.
server
    A web server for catalogues, which does what a test tells it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.data.support import Server, Write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rain.csv").write_text("day,mm\n1,3\n2,5\n3,8\n")
    (tmp_path / "wind.csv").write_text("day,knots\n1,12\n")
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    def write_one(text: str | bytes, name: str = "catalog.yaml") -> str:
        path = folder / name
        content = text if isinstance(text, bytes) else dedent(text).lstrip("\n").encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    return write_one


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as http:
        thread = threading.Thread(target=http.serve_forever, args=[0.02])
        thread.start()
        yield http
        http.released.set()
        http.shutdown()
        thread.join()
