"""The rendezvous in a hub: ``POST /hub/greyhub/rendezvous/{register,boot,report}``.

No cookie counts, so none can be misused. What is secret is in no URL, and JupyterHub logs
no bodies.
"""

from __future__ import annotations

import json
from typing import Any

from tornado.web import RequestHandler, stream_request_body

from greyhub.rendezvous.protocol import ASKED, LIMIT, PATH
from greyhub.rendezvous.service import Rendezvous, this_hub
from greyhub.rendezvous.tunnel.control import Tunnels

ROUTE = rf"/{PATH}/({'|'.join(ASKED)})"
"""Below the hub's address."""

SLOWEST = 20.0
"""Seconds that a request's body may take."""


@stream_request_body
class RendezvousHandler(RequestHandler):
    """One kind of request."""

    rendezvous: Rendezvous

    def initialize(self, rendezvous: Rendezvous | None = None) -> None:
        """Tornado's way to give a handler its things."""
        self.rendezvous, self.body = rendezvous or this_hub(), bytearray()

    def check_xsrf_cookie(self) -> None:
        """Nothing: who asks is known by a signature, and by nothing that a browser adds."""

    def set_default_headers(self) -> None:
        """Answers are kept by nobody."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "application/json")

    def prepare(self) -> None:
        """Before the body comes: how large and how slow it may be."""
        connection: Any = self.request.connection
        connection.set_max_body_size(LIMIT)
        connection.set_body_timeout(SLOWEST)
        length = self.request.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LIMIT:
            self.set_header("Connection", "close")
            self.send_error(413)

    def data_received(self, chunk: bytes) -> None:
        """A part of the body, which tornado keeps within the limit."""
        self.body += chunk

    async def post(self, what: str) -> None:
        """Answer an agent."""
        answer = await self.rendezvous.answer(what, bytes(self.body), str(self.request.remote_ip))
        self.set_status(answer.status)
        if answer.status == 429:
            self.set_header("Retry-After", "30")
        self.finish(json.dumps(answer.fields))

    def _log(self) -> None:
        """Log what has failed: all else is each agent's heartbeat, or has its line already."""
        if self.get_status() >= 500:
            super()._log()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say no more than the status."""
        self.finish(json.dumps({"error": self._reason}))


def attach(app: Any, tunnels: Tunnels | None = None) -> Rendezvous:
    """Let a JupyterHub serve this process's rendezvous; to be called before it starts.

    Parameters
    ----------
    app : jupyterhub.app.JupyterHub
        The hub.
    tunnels : Tunnels, optional
        For servers that the hub's proxy cannot reach. Its `Tunnels.service` must be among the
        hub's services.
    """
    rendezvous = this_hub()
    rendezvous.log, rendezvous.tunnels = app.log, tunnels
    if tunnels:
        tunnels.start()
    handler = (ROUTE, RendezvousHandler, {"rendezvous": rendezvous})
    # Setting the option logs that it is deprecated, which is nothing an administrator could mend.
    app.extra_handlers.append(handler)
    return rendezvous
