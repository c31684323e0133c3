"""A store that is only a dictionary behind HTTP: put your own platform in its place.

``PUT``, ``GET``, ``HEAD`` and ``DELETE /KEY``; ``POST /KEY?from=KEY`` copies;
``GET /?prefix=TEXT`` lists. A ``PUT`` brings its own version and may name the one
that it replaces. Every request needs a token.
"""

from __future__ import annotations

import json
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Server(ThreadingHTTPServer):
    """Answers many at once."""

    daemon_threads = True
    request_queue_size = 128


@dataclass
class Item:
    """One version of a file."""

    content: bytes
    version: str
    mtime: float = field(default_factory=time.time)

    def told(self, key: str) -> dict[str, Any]:
        """As a listing has it."""
        return {
            "name": key,
            "size": len(self.content),
            "version": self.version,
            "mtime": self.mtime,
        }


class Store:
    """The dictionary and its server, on a free port of this machine."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.tokens: set[str] = set()
        # Nothing is made while it is held: what the collector then ends may ask the store.
        self.lock = threading.Lock()

    def renew(self) -> None:
        """Give out a new token, into a file."""
        token = secrets.token_hex(16)
        Path(self.file).write_text(token)
        self.tokens.add(token)

    def start(self) -> Store:
        """Serve, in a thread, at `url`: nothing is open before."""
        handler = type("Handler", (Api,), {"store": self})
        self.server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.folder = tempfile.TemporaryDirectory(prefix="toy-store-")
        self.file = str(Path(self.folder.name) / "token")
        self.renew()
        # It looks for its end ten times a second.
        serve = {"target": self.server.serve_forever, "args": (0.1,)}
        threading.Thread(**serve, name="toy-store", daemon=True).start()  # type: ignore[arg-type]
        return self

    def stop(self) -> None:
        """Serve no more."""
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def put(self, key: str, item: Item, *, new: bool = False, over: str | None = None) -> bool:
        """Put a version, under a condition; whether it held."""
        with self.lock:
            old = self.items.get(key)
            if (new and old) or (over is not None and (old is None or old.version != over)):
                return False
            self.items[key] = item
            return True


class Shelf(MutableMapping[str, bytes]):
    """The files below a prefix, as they are in the dictionary: no request is made."""

    def __init__(self, store: Store, prefix: str) -> None:
        self.store, self.prefix = store, prefix

    def __getitem__(self, path: str) -> bytes:
        return self.store.items[self.prefix + path].content

    def __setitem__(self, path: str, content: bytes) -> None:
        self.store.items[self.prefix + path] = Item(content, secrets.token_hex(8))

    def __delitem__(self, path: str) -> None:
        del self.store.items[self.prefix + path]

    def __iter__(self) -> Iterator[str]:
        keys = [key for key in list(self.store.items) if key.startswith(self.prefix)]
        return (key.removeprefix(self.prefix) for key in keys)

    def __len__(self) -> int:
        return len(list(iter(self)))


class Api(BaseHTTPRequestHandler):
    """The store's side of HTTP."""

    store: Store

    def do_GET(self) -> None:
        """A file, or a listing."""
        if not self.allowed():
            return
        prefix = self.query("prefix")
        if prefix is not None:
            held = sorted(self.store.items.copy().items(), key=itemgetter(0))
            found = [item.told(key) for key, item in held if key.startswith(prefix)]
            self.answer(200, json.dumps(found).encode())
        elif (item := self.store.items.get(self.key)) is None:
            self.answer(404)
        else:
            self.answer(200, item.content, item)

    def do_HEAD(self) -> None:
        """As GET, without the content."""
        self.do_GET()

    def do_PUT(self) -> None:
        """Put a file."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.allowed():
            item = Item(content, self.headers["Version"])
            new, over = self.headers.get("If-None-Match") == "*", self.headers.get("If-Match")
            self.answer(201 if self.store.put(self.key, item, new=new, over=over) else 412)

    def do_POST(self) -> None:
        """Copy a file."""
        if self.allowed():
            item = self.store.items.get(self.query("from") or "")
            if item is not None:
                self.store.put(self.key, Item(item.content, self.headers["Version"]))
            self.answer(404 if item is None else 201)

    def do_DELETE(self) -> None:
        """Remove a file."""
        if self.allowed():
            with self.store.lock:
                item = self.store.items.pop(self.key, None)
            self.answer(404 if item is None else 204)

    @property
    def key(self) -> str:
        """What the request is about."""
        return unquote(urlsplit(self.path).path[1:])

    def query(self, name: str) -> str | None:
        """A parameter of the request."""
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True).get(name, [None])[0]

    def allowed(self) -> bool:
        """Whether the token is one of the store's; if not, it is answered."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and token in self.store.tokens:
            return True
        self.answer(401)
        return False

    def answer(self, status: int, body: bytes = b"", item: Item | None = None) -> None:
        """Answer."""
        self.send_response_only(status)
        if item is not None:
            self.send_header("Version", item.version)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""
