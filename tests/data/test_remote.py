"""Catalogues and data behind URLs."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from greyhub.errors import CatalogError
from tests.data.support import BOTH, Write, opened


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    """The folder's URL."""
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=[0.02])
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("text", BOTH.values(), ids=BOTH.keys())
@pytest.mark.parametrize("place", ["{{ CATALOG_DIR }}/", "{CATALOG_DIR}", ""])
def test_a_catalogue_and_its_data(server: str, write: Write, text: str, place: str) -> None:
    for written in ("{{ CATALOG_DIR }}/", "{CATALOG_DIR}/"):
        text = text.replace(written, place)
    write(text)
    source = opened(f"{server}/catalog.yaml")["rain"]
    assert source.data.url == f"{server}/rain.csv"
    assert source.read()["mm"].tolist() == [3, 5, 8]


def test_nested_catalogues(server: str, write: Write) -> None:
    write(BOTH["second"], "deep/catalog.yaml")
    write("sources: {sky: {driver: yaml_file_cat, args: {path: deep/catalog.yaml}}}", "top.yaml")
    catalog = opened(f"{server}/top.yaml")
    assert list(catalog) == ["sky.rain"]
    assert catalog["sky.rain"].data.url == f"{server}/deep/rain.csv"


def test_a_malformed_file(server: str, write: Write) -> None:
    write("sources: [\n")
    with pytest.raises(CatalogError) as caught:
        opened(f"{server}/catalog.yaml?key=s3cr3t")
    assert str(caught.value).startswith(f"{server}/catalog.yaml:2: is not YAML")


def test_a_file_that_is_not_there(server: str) -> None:
    with pytest.raises(CatalogError) as caught:
        opened(f"{server}/gone.yaml?key=s3cr3t")
    assert str(caught.value).startswith(f"{server}/gone.yaml: this catalogue cannot be read")
    assert "s3cr3t" not in str(caught.value)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(CatalogError, match="this catalogue cannot be read"):
        opened("http://127.0.0.1:9/catalog.yaml")


def test_a_protocol_that_nothing_speaks() -> None:
    with pytest.raises(CatalogError, match="this catalogue cannot be read: ValueError: Protocol"):
        opened("gopher://example/catalog.yaml")
