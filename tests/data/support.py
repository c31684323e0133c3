"""What the tests of the data slot share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from greyhub.data.catalog import Catalog, open_catalogs

Write = Callable[..., str]


def opened(*paths: str, **options: object) -> Catalog:
    """The catalogues of a list."""
    given = {"parameters": {}, **options}
    return open_catalogs([("", path) for path in paths], **given)  # type: ignore[arg-type]


FIRST = """
    sources:
      rain:
        driver: csv
        description: Rain at Exeter.
        args: {urlpath: "{{ CATALOG_DIR }}/rain.csv"}
"""

SECOND = """
    version: 2
    entries:
      rain:
        reader: intake.readers.readers:PandasCSV
        kwargs: {data: "{data(rain-file)}"}
        metadata: {description: Rain at Exeter.}
    data:
      rain-file:
        datatype: intake.readers.datatypes:CSV
        kwargs: {url: "{CATALOG_DIR}/rain.csv"}
"""

BOTH = {"first": FIRST, "second": SECOND}
"""One catalogue in Intake's two formats."""


class Server(ThreadingHTTPServer):
    """Serves texts by name, as a test tells it to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, str] = {
            "c.yaml": "sources: {rain: {driver: csv, args: {urlpath: rain.csv}}}"
        }
        self.tags = True
        self.modified = ""
        """The Last-Modified of every file, if they have one."""
        self.fault = ""
        """``half``, ``hang``, ``endless``, or a status."""
        self.answers: list[tuple[str, int]] = []
        self.released = threading.Event()

    def url(self, name: str = "c.yaml") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/")
        text = self.server.files.get(name, "").encode()
        fault = self.server.fault
        tag = f'"{hash(text)}"' if self.server.tags else ""
        modified = self.server.modified
        known = (self.headers["If-None-Match"], self.headers["If-Modified-Since"])
        status = 200 if text else 404
        if (tag and tag == known[0]) or (modified and modified == known[1]):
            status, text = 304, b""
        if fault.isdigit():
            status, text = int(fault), b"<html>"
        self.server.answers.append((name, status))
        if fault == "hang":
            self.server.released.wait(60)
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        if modified:
            self.send_header("Last-Modified", modified)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text[: len(text) // 2] if fault == "half" else text)

    def log_message(self, *_: object) -> None:
        pass
