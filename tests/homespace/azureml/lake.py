"""As much of an account with a hierarchical namespace as making a directory asks of it.

It knows the requests of the REST API of Data Lake Storage by their form, keeps access control
lists, and refuses what it is told to. It is no proof that Azure does the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.homespace.azureml.account import Authority

FIRST = "user::rwx,group::r-x,other::---"


@dataclass
class Lake:
    """An account, by what it was asked and what it has."""

    authority: Authority
    url: str = ""
    refusing: tuple[int, str] | None = None
    """The status and the code by which it refuses all."""

    refused: str = ""
    """Text in the address of what alone is refused; all, if it is empty."""

    lists: dict[str, str] = field(default_factory=dict)
    """Access control lists by path; that of a container by ``container/``."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    """Methods and addresses."""

    tokens: set[str] = field(default_factory=set)

    @property
    def options(self) -> dict[str, Any]:
        return {
            "account_url": self.url,
            "ca_bundle": str(self.authority.ca),
            "credential": {"hub": "storage", "user": "ada"},
        }

    def answer(self, method: str, address: str, headers: Any) -> tuple[int, dict[str, str]]:
        """A status, and headers."""
        parts = urlsplit(address)
        query = {name: each[0] for name, each in parse_qs(parts.query).items()}
        path = unquote(parts.path).removeprefix("/")
        self.asked.append((method, address))
        kind, _, token = headers.get("Authorization", "").partition(" ")
        self.tokens.add(token)
        if kind != "Bearer":
            return 401, {"x-ms-error-code": "NoAuthenticationInformation"}
        if self.refusing and self.refused in address:
            return self.refusing[0], {"x-ms-error-code": self.refusing[1]}
        if method == "PUT" and query.get("restype") == "container":
            return self._made(f"{path}/", "ContainerAlreadyExists")
        if method == "PUT" and query == {"resource": "directory"}:
            assert headers["If-None-Match"] == "*"
            assert f"{path.partition('/')[0]}/" in self.lists
            return self._made(path, "PathAlreadyExists")
        if method == "HEAD" and query == {"action": "getAccessControl"}:
            return 200, {"x-ms-acl": self.lists[path]}
        if method == "PATCH" and query == {"action": "setAccessControl"}:
            assert path in self.lists
            self.lists[path] = headers["x-ms-acl"]
            return 200, {}
        return 400, {"x-ms-error-code": "InvalidUri"}

    def _made(self, path: str, otherwise: str) -> tuple[int, dict[str, str]]:
        if path in self.lists:
            return 409, {"x-ms-error-code": otherwise}
        self.lists[path] = FIRST
        return 201, {}


@pytest.fixture
def lake(tmp_path: Any) -> Iterator[Lake]:
    made = Lake(Authority(tmp_path))

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            status, headers = made.answer(self.command, self.path, self.headers)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = made.authority.serving().wrap_socket(server.socket, server_side=True)
    made.url = f"https://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()
