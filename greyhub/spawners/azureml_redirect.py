"""A page on the hub's machine that sends users on to the JupyterLab of their own instances.

It answers in the hub's process, and the hub's proxy asks it. All it tells is the address of an
instance, where Azure asks for a login of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from jupyterhub import __version__
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

LAB: Final = "Jupyter Lab"
"""What Azure ML calls JupyterLab among the applications of an instance."""


def lab_url(compute: Mapping[str, Any]) -> str:
    """The address of an instance's own JupyterLab; empty while it has none."""
    about = (compute.get("properties") or {}).get("properties") or {}
    for each in about.get("applications") or ():
        url = str(each.get("endpointUri") or "")
        if each.get("displayName") == LAB and url.startswith("https://"):
            return url
    return ""


class Redirects:
    """The pages of all servers of a hub, at a port of loopback."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        sockets = bind_sockets(0, "127.0.0.1")
        self._port = sockets[0].getsockname()[1]
        page = (".*", _Page, {"places": self.places})
        HTTPServer(Application([page])).add_sockets(sockets)

    def add(self, prefix: str, url: str) -> str:
        """Send on what is asked for below a prefix; the address of its page."""
        self.places[prefix] = url
        return f"http://127.0.0.1:{self._port}{prefix}"

    def drop(self, prefix: str) -> None:
        """Do so no more."""
        self.places.pop(prefix, None)


class _Page(RequestHandler):
    places: Mapping[str, str]

    def initialize(self, places: Mapping[str, str]) -> None:
        """Tornado's way to give a handler its things."""
        self.places = places

    def get(self) -> None:
        """To the instance, whatever of its server is asked for."""
        path = self.request.path
        prefix = max((each for each in self.places if path.startswith(each)), key=len, default="")
        if not prefix:
            self.send_error(404)
            return
        # The hub compares versions when it looks whether a server is up.
        self.set_header("X-JupyterHub-Version", __version__)
        self.set_header("Cache-Control", "no-store")
        self.redirect(self.places[prefix])

    def write_error(self, status_code: int, **how: Any) -> None:
        """Say no more than the status."""
        self.finish(self._reason)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Redirects] = WeakKeyDictionary()


def redirects() -> Redirects:
    """Those of the hub in this event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loops:
        _of_loops[loop] = Redirects()
    return _of_loops[loop]
