"""``GET proxy/clusters/NAME/…``: the dashboard of one of the user's clusters."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from jupyter_server_proxy.handlers import ProxyHandler


class DashboardHandler(ProxyHandler):  # type: ignore[misc]
    """Hands requests on to the broker, with the token of this server."""

    def __init__(self, *args: Any, broker: str, **options: Any) -> None:
        self.broker = urlsplit(broker)
        super().__init__(*args, host_allowlist=[self.broker.hostname], **options)

    def _at_broker(self, name: str, path: str) -> tuple[str, int, str]:
        port = self.broker.port or 80
        return str(self.broker.hostname), port, f"{self.broker.path}/clusters/{name}/{path}"

    async def http_get(self, name: str, path: str) -> Any:
        """A page of the dashboard."""
        return await self.proxy(*self._at_broker(name, path))

    async def open(self, name: str, path: str) -> Any:
        """A websocket of the dashboard."""
        return await self.proxy_open(*self._at_broker(name, path))

    def proxy_request_headers(self) -> Any:
        """The browser's headers, without its cookies; whose they are, the token says."""
        headers = super().proxy_request_headers()
        for name in ("Cookie", "Origin", "X-Xsrftoken"):
            headers.pop(name, None)
        headers["Authorization"] = f"token {os.environ['JUPYTERHUB_API_TOKEN']}"
        return headers


def routes(place: str, broker: str) -> list[Any]:
    """The handler's place below the server's own URL."""
    return [(f"{place}/([0-9a-f]+)/(.*)", DashboardHandler, {"broker": broker})]
