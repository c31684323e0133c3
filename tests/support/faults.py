"""A proxy before a store that is busy, slow, cuts answers or loses them, when it is told to."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.support.waiting import MINUTE

Rule = Callable[["Request"], str | None]
"""What to do with a request: ``busy``, ``lose`` its answer, ``cut`` it, ``refuse`` it, or None."""

_DROPPED = {"transfer-encoding", "connection", "content-length", "keep-alive"}


@dataclass
class Request:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD", "PROPFIND", "OPTIONS")


class FaultyProxy:
    """Forwards every request, unless a rule has other plans.

    Parameters
    ----------
    upstream : str
        The store's URL.
    options : callable
        The store's options for the URL of its endpoint.
    """

    def __init__(
        self, upstream: str, options: Callable[[str], dict[str, Any]], port: int = 0
    ) -> None:
        self.upstream = urlsplit(upstream)
        self.rules: list[Rule] = []
        self.requests: list[Request] = []
        self.connections: list[socket.socket] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                proxy.connections.append(self.connection)

            def log_message(self, *args: object) -> None:
                pass

            def handle_one_request(self) -> None:
                # Every method is forwarded alike.
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                proxy.forward(self)
                self.wfile.flush()

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.options = options(self.url)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> FaultyProxy:
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with suppress(OSError):  # it may be closed already
                connection.shutdown(socket.SHUT_RDWR)

    def forward(self, handler: BaseHTTPRequestHandler) -> None:
        body = _body(handler)
        if len(body) < int(handler.headers.get("Content-Length") or 0):
            handler.close_connection = True  # its sender has died meanwhile
            return None
        request = Request(handler.command, handler.path, dict(handler.headers.items()), body)
        self.requests.append(request)
        action = next((found for rule in self.rules if (found := rule(request))), None)
        if action == "busy":
            return _answer(handler, 503, [], b"")
        if action == "refuse":
            return _answer(handler, 403, [], b"")
        status, headers, content = self.ask(request)
        if action == "lose":
            handler.close_connection = True
            return None
        if action == "cut":
            handler.close_connection = True
            handler.send_response(status)
            for name, value in headers:
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content[: len(content) // 2])
            return None
        return _answer(handler, status, headers, content, head=request.method == "HEAD")

    def ask(self, request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(self.upstream.netloc, timeout=MINUTE)
        headers = {n: v for n, v in request.headers.items() if n.lower() not in _DROPPED}
        if "Destination" in headers:
            headers["Destination"] = headers["Destination"].replace(
                self.url, f"{self.upstream.scheme}://{self.upstream.netloc}"
            )
            headers["Host"] = self.upstream.netloc
        if request.body or request.method in ("PUT", "POST"):
            headers["Content-Length"] = str(len(request.body))
        upstream.request(request.method, request.path, request.body or None, headers)
        answer = upstream.getresponse()
        content = answer.read()
        found = [(n, v) for n, v in answer.getheaders() if n.lower() not in _DROPPED]
        if request.method == "HEAD" and answer.getheader("Content-Length"):
            found.append(("Content-Length", answer.getheader("Content-Length", "0")))
        upstream.close()
        return answer.status, found, content


def times(number: int, action: str, wanted: Callable[[Request], bool] = lambda _: True) -> Rule:
    """Do it the first few times that a request is wanted."""
    left = [number]

    def rule(request: Request) -> str | None:
        if left[0] and wanted(request):
            left[0] -= 1
            return action
        return None

    return rule


def always(action: str, wanted: Callable[[Request], bool] = lambda _: True) -> Rule:
    """Do it every time."""
    return lambda request: action if wanted(request) else None


def held(method: str, ending: str, go_on: threading.Event) -> Rule:
    """Keep requests of this method, for what ends so, until they may go on."""

    def hold(request: Request) -> None:
        if request.method == method and request.path.endswith(ending):
            go_on.wait(10 * MINUTE)

    return hold


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if "chunked" in handler.headers.get("Transfer-Encoding", ""):
        parts = []
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            parts.append(handler.rfile.read(size))
            handler.rfile.readline()
        handler.rfile.readline()
        return b"".join(parts)
    return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))


def _answer(
    handler: BaseHTTPRequestHandler,
    status: int,
    headers: list[tuple[str, str]],
    content: bytes,
    head: bool = False,
) -> None:
    handler.send_response_only(status)
    for name, value in headers:
        handler.send_header(name, value)
    if not head:
        handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if not head:
        handler.wfile.write(content)
