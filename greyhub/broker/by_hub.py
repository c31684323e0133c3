"""What of the broker is reached by the hub's own proxy, over TLS: its API and its rendezvous.

Jobs in a cloud reach the hub at one address. dask-gateway's cookies are not handed on: a
request is known by its token.
"""

from __future__ import annotations

from typing import Any

from tornado import httpclient, web

from greyhub.rendezvous.handlers import ROUTE, RendezvousHandler
from greyhub.rendezvous.service import Rendezvous

HANDED_ON = ("Authorization", "Content-Type", "Accept")
"""Headers of a request that reach the API."""

SLOWEST = 120.0
"""Seconds that an answer may take: clients wait for a cluster's start."""


class Api(web.RequestHandler):
    """Hands a request on to dask-gateway's API, which asks whose token it carries."""

    def initialize(self, api: str) -> None:
        """Tornado's way to give a handler its things."""
        self.api = api

    def check_xsrf_cookie(self) -> None:
        """Nothing: cookies do not count."""

    async def _hand_on(self, path: str) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        headers = self.request.headers
        client = httpclient.AsyncHTTPClient(force_instance=True)
        try:
            answer = await client.fetch(
                f"{self.api}/{path}{query}",
                method=str(self.request.method),
                headers={name: headers[name] for name in HANDED_ON if name in headers},
                body=self.request.body or None,
                allow_nonstandard_methods=True,
                follow_redirects=False,
                raise_error=False,
                request_timeout=SLOWEST,
            )
        finally:
            client.close()
        if answer.code == 599:
            raise web.HTTPError(502, "The broker does not answer.")
        self.set_status(answer.code, answer.reason)
        for name in ("Content-Type", "WWW-Authenticate"):
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        if answer.body:
            self.write(answer.body)

    get = post = put = delete = _hand_on


def routes(prefix: str, api: str, rendezvous: Rendezvous) -> list[Any]:
    """Tornado's routes.

    Parameters
    ----------
    prefix : str
        The path of the service at the hub, ``/services/clusters``.
    api : str
        Where dask-gateway's API listens, ``http://127.0.0.1:8086/api``.
    rendezvous : Rendezvous
        Whose agents ask.
    """
    return [
        (prefix + ROUTE, RendezvousHandler, {"rendezvous": rendezvous}),
        (rf"{prefix}/api/(.*)", Api, {"api": api}),
    ]
