"""``GET greyhub/home``: how the home is, for the browser."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from greyhub.errors import HomeError
from greyhub.homespace.sync import client


class HomeHandler(APIHandler):
    """Asks the process that keeps the home."""

    _track_activity = False  # a page that is left open does not keep an idle server alive

    @authenticated
    async def get(self) -> None:
        """The state, as `greyhub.homespace.sync.report.Report` describes it."""
        try:
            state: dict[str, Any] = dict(await asyncio.to_thread(client.status))
        except HomeError as error:
            state = {"word": "stopped", "saved": False, "error": str(error)}
        self.finish(json.dumps(state))


def routes(base: str) -> list[Any]:
    """The handler's place below the server's own URL."""
    return [(url_path_join(base, "greyhub", "home"), HomeHandler)]
