"""A service that is only a dictionary behind HTTP: put your own platform in its place.

``GET /catalog`` gives what the token's user may see; ``GET /data/ID/PATH`` one
file of one version of a dataset.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote


class Server(ThreadingHTTPServer):
    """Answers many at once."""

    daemon_threads = True
    request_queue_size = 128


@dataclass
class Item:
    """One version of a dataset."""

    said: dict[str, Any]
    """What the catalogue says of it."""

    files: dict[str, bytes]
    users: frozenset[str] | None = None
    """Who may see it; None for everyone."""

    def allows(self, user: str) -> bool:
        """Whether a user may see it."""
        return self.users is None or user in self.users


@dataclass
class Shelf:
    """What the service holds."""

    now: dict[str, Item] = field(default_factory=dict)
    """The datasets that are published, by name."""

    ever: dict[str, Item] = field(default_factory=dict)
    """Every version, by id."""

    users: dict[str, str] = field(default_factory=dict)
    """The user of each token."""

    def publish(self, datasets: Mapping[str, Any]) -> None:
        """Publish these, and no others: each has description, kind, files, parameters, …"""
        self.put(
            {
                name: Item(told(name, each), dict(each.files), each.users)
                for name, each in datasets.items()
            }
        )

    def restore(self, exported: Mapping[str, Any]) -> None:
        """Publish what was exported, with the files that it had."""
        self.put({n: Item(dict(said), self.ever[said["id"]].files) for n, said in exported.items()})

    def put(self, items: dict[str, Item]) -> None:
        """Publish these versions, all at once."""
        for item in items.values():
            item.said["id"] = str(len(self.ever))
            self.ever[item.said["id"]] = item
        self.now = items

    def content(self) -> dict[str, str]:
        """All that is published."""
        return {name: repr(item) for name, item in self.now.items()}

    @contextmanager
    def without(self, path: str) -> Iterator[None]:
        """Lose a file while a block lasts."""
        [files] = [item.files for item in self.now.values() if path in item.files]
        content = files.pop(path)
        try:
            yield
        finally:
            files[path] = content

    def catalog(self, user: str) -> dict[str, Any]:
        """What a user may see."""
        return {name: item.said for name, item in self.now.items() if item.allows(user)}

    def file(self, user: str, number: str, path: str) -> bytes | None:
        """A file that a user may read.

        Raises
        ------
        PermissionError
            It is hidden by now.
        """
        item = self.ever[number]
        latest = self.now.get(item.said["name"], item)
        if not (item.allows(user) and latest.allows(user)):
            raise PermissionError
        return item.files.get(path)


def told(name: str, dataset: Any) -> dict[str, Any]:
    """What the catalogue says of a dataset."""
    return {
        "name": name,
        "description": dataset.description,
        "container": dataset.kind,
        "metadata": dict(dataset.metadata),
        "place": dataset.place,
        "parameters": [
            {
                "name": each.name,
                "type": each.kind,
                "default": each.default,
                "allowed": list(each.allowed or ()),
                "min": each.minimum,
                "max": each.maximum,
            }
            for each in dataset.parameters
        ],
    }


class Service:
    """The shelf and its server, on a free port of this machine."""

    def __init__(self) -> None:
        self.shelf = Shelf()

    def start(self) -> Service:
        """Serve, in a thread, at `url`: nothing is open before."""
        self.folder = tempfile.TemporaryDirectory(prefix="toy-tokens-")
        handler = type("Handler", (Api,), {"shelf": self.shelf})
        self.server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        serve = threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True)
        serve.start()
        return self

    @property
    def options(self) -> dict[str, str]:
        """What a notebook is told."""
        return {"service": self.url, "token_file": f"{self.folder.name}/{{user}}"}

    def admit(self, user: str, token: str) -> None:
        """Let a user in, by this token and the user's name, and give it to them."""
        self.shelf.users[f"{token}.{user}"] = user
        Path(self.folder.name, user).write_text(f"{token}.{user}")

    def stop(self) -> None:
        """Serve no more."""
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()


class Api(BaseHTTPRequestHandler):
    """The service's side of HTTP."""

    shelf: Shelf

    def do_GET(self) -> None:
        """A catalogue, or a file."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        user = self.shelf.users.get(token)
        what, _, rest = unquote(self.path).lstrip("/").partition("/")
        if user is None:
            self.answer(401)
        elif what == "catalog":
            self.answer(200, json.dumps(self.shelf.catalog(user)).encode())
        else:
            self.send_file(user, *rest.split("/", 1))

    def send_file(self, user: str, number: str, path: str = "") -> None:
        """A file, if it is there and the user may read it."""
        try:
            content = self.shelf.file(user, number, path)
        except (KeyError, PermissionError):
            self.answer(403)
        else:
            self.answer(404 if content is None else 200, content or b"")

    def answer(self, status: int, body: bytes = b"") -> None:
        """Answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""
