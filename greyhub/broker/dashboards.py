"""Show a cluster's dashboard to its owner, who is known by the hub's login."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from tornado import httpclient, web, websocket

HOP_BY_HOP: Final = {
    *("connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade"),
    *("proxy-authenticate", "proxy-authorization", "host", "content-length", "content-encoding"),
    *("cookie", "authorization"),
}
"""Headers that are of one connection, or the broker's to set."""

LARGEST: Final = 64 * 2**20
"""Bytes of one answer or message of a dashboard."""


class Dashboard(HubOAuthenticated, websocket.WebSocketHandler):  # type: ignore[misc]
    """Hands requests of a cluster's owner on to its scheduler's dashboard."""

    def initialize(self, backend: Any, hub_auth: HubOAuth) -> None:
        """Take what `serve` gives."""
        self.backend, self.hub_auth = backend, hub_auth
        self.upstream: Any = None

    def _target(self, name: str, path: str) -> tuple[str, dict[str, str]]:
        """Where a path of a dashboard is, and what opens it."""
        cluster = self.backend.db.get_cluster(name)
        user = self.get_current_user() or {}
        own = cluster is not None and user.get("kind") == "user"
        if not own or user.get("name") != cluster.username:
            raise web.HTTPError(404, "You have no cluster of this name.")
        if not cluster.dashboard_address or not cluster.is_active():
            raise web.HTTPError(404, "This cluster does not run, or has no dashboard.")
        url = f"{cluster.dashboard_address}/{path}"
        if self.request.query:
            url += f"?{self.request.query}"
        return url, {"Authorization": f"token {cluster.token}"}

    def _handed_on(self) -> dict[str, str]:
        return {
            name: value
            for name, value in self.request.headers.get_all()
            if name.lower() not in HOP_BY_HOP and not name.lower().startswith("sec-websocket")
        }

    @web.authenticated
    async def get(self, name: str, path: str) -> None:  # type: ignore[override]
        """A page, or the messages of a websocket."""
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            self.target = self._target(name, path)
            await super().get(name, path)
            return
        url, opens = self._target(name, path)
        client = httpclient.AsyncHTTPClient(force_instance=True, max_body_size=LARGEST)
        try:
            answer = await client.fetch(
                url,
                headers={**self._handed_on(), **opens},
                follow_redirects=False,
                raise_error=False,
            )
        finally:
            client.close()
        if answer.code == 599:
            raise web.HTTPError(502, "The scheduler of this cluster does not answer.")
        self.set_status(answer.code)
        self.clear_header("Content-Type")
        for key, value in answer.headers.get_all():
            if key.lower() not in HOP_BY_HOP | {"set-cookie"}:
                self.add_header(key, value)
        if answer.body:
            self.write(answer.body)

    async def open(self, *_: str) -> None:
        """Open the scheduler's websocket, too."""
        url, opens = self.target
        protocols = self.request.headers.get("Sec-WebSocket-Protocol", "")
        request = httpclient.HTTPRequest(
            url.replace("http", "ws", 1), headers={**self._handed_on(), **opens}
        )
        try:
            self.upstream = await websocket.websocket_connect(
                request,
                on_message_callback=self._from_scheduler,
                subprotocols=[each.strip() for each in protocols.split(",") if each.strip()],
                max_message_size=LARGEST,
            )
        except Exception:
            self.close(1011, "the scheduler does not answer")

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """The first: bokeh's, whose second part is its session token."""
        return subprotocols[0] if subprotocols else None

    def _from_scheduler(self, message: str | bytes | None) -> None:
        if message is None:
            self.close()
        elif self.ws_connection is not None:
            self.write_message(message, binary=isinstance(message, bytes))

    async def on_message(self, message: str | bytes) -> None:
        """Hand on what the browser says."""
        if self.upstream is not None:
            await self.upstream.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        """Close the scheduler's websocket, too."""
        if self.upstream is not None:
            self.upstream.close()


class Callback(HubOAuthCallbackHandler):  # type: ignore[misc]
    """Where the hub sends a browser after the login."""

    def initialize(self, hub_auth: HubOAuth) -> None:
        """Take what `serve` gives: it remembers for which page the browser came."""
        self.hub_auth = hub_auth


def serve(backend: Any, prefix: str, address: str, cookie_secret: bytes) -> Any:
    """Listen, for browsers that come by the hub's proxy.

    Parameters
    ----------
    backend : BrokerBackend
        Has the clusters, and perhaps `routes` of its own.
    prefix : str
        The path of the service at the hub, ``/services/clusters``.
    address : str
        Where to listen, ``http://127.0.0.1:8087``.
    """
    from tornado.httpserver import HTTPServer

    auth = HubOAuth(cache_max_age=30)
    app = web.Application(
        [
            *backend.routes(prefix),
            (f"{prefix}/oauth_callback", Callback, {"hub_auth": auth}),
            (
                rf"{prefix}/clusters/([^/]+)/(.*)",
                Dashboard,
                {"backend": backend, "hub_auth": auth},
            ),
        ],
        cookie_secret=cookie_secret,
        websocket_ping_interval=30,
        log_function=lambda handler: None,
    )
    server = HTTPServer(app, xheaders=True)  # only the hub's proxy asks, on loopback
    parts = urlsplit(address)
    server.listen(parts.port or 80, parts.hostname or "")
    return server
