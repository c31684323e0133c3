"""Close the HTTP server of a scheduler or a worker to all but the broker.

A preload of `dask scheduler` and `dask worker`: dashboards and metrics are at an address that
others can reach, and would answer anybody. The broker shows them to the cluster's owner.
"""

from __future__ import annotations

import hmac
import os
from typing import Any

from tornado import httputil, web

VARIABLE = "DASK_GATEWAY_API_TOKEN"
"""Holds the cluster's token."""


class Guard(httputil.HTTPServerConnectionDelegate):
    """Refuses requests that do not carry the cluster's token.

    Parameters
    ----------
    guarded : tornado.web.Application
        What answers the others.
    token : str
        The cluster's token.
    """

    def __init__(self, guarded: Any, token: str) -> None:
        self.guarded, self._expected = guarded, f"token {token}".encode()
        self.closed = web.Application([(r".*", _Refused)], log_function=lambda handler: None)

    def start_request(self, server_conn: object, request_conn: Any) -> Any:
        """Who reads the request that comes."""
        return _Request(self, server_conn, request_conn)

    def choose(self, headers: httputil.HTTPHeaders) -> Any:
        """Who answers a request with certain headers."""
        said = headers.get("Authorization", "").encode()
        return self.guarded if hmac.compare_digest(said, self._expected) else self.closed

    def on_close(self, server_conn: object) -> None:
        """A connection has ended."""
        self.guarded.on_close(server_conn)


class _Request(httputil.HTTPMessageDelegate):
    """One request: who answers it is known when its headers are."""

    def __init__(self, guard: Guard, server_conn: object, request_conn: Any) -> None:
        self.guard, self.connections = guard, (server_conn, request_conn)
        self.answers: Any = None

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> Any:
        self.answers = self.guard.choose(headers).start_request(*self.connections)
        return self.answers.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        return self.answers.data_received(chunk)

    def finish(self) -> None:
        self.answers.finish()

    def on_connection_close(self) -> None:
        if self.answers is not None:
            self.answers.on_connection_close()


class _Refused(web.RequestHandler):
    def prepare(self) -> None:
        raise web.HTTPError(403)

    def write_error(self, status_code: int, **_: Any) -> None:
        self.finish("the dashboards of this cluster are its owner's: see dashboard_link\n")


def guard(node: Any, token: str) -> None:
    """Let every HTTP server that a class of Dask's starts be guarded from its beginning."""
    start = node.start_http_server

    def start_guarded(self: Any, *args: Any, **options: Any) -> None:
        start(self, *args, **options)
        self.http_server.request_callback = Guard(self.http_application, token)

    node.start_http_server = start_guarded


if _given := os.environ.get(VARIABLE):  # in a part of a cluster, and nowhere else
    from distributed.node import ServerNode

    guard(ServerNode, _given)


def dask_setup(server: Any) -> None:
    """Refuse to go on where the dashboard would be open to everybody."""
    if not isinstance(server.http_server.request_callback, Guard):
        raise RuntimeError(f"{VARIABLE} is not set: the dashboard would be open to everybody")
