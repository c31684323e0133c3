"""Dashboards of a broker's clusters below the user's own server, for JupyterLab's Dask panel.

The panel looks for plots at the address of the notebook server, and shows no login in
between. A small extension of the notebook server asks the broker in the user's name; it is
found by a variable of the server's environment, so nothing is installed.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

from greyhub.clusters.lab import FOLDER
from greyhub.ticket import Ticket, variable

CONFIG: Final = Path(__file__).parent / "config"


def show(environ: MutableMapping[str, str]) -> None:
    """Let the notebook server that begins with this environment find the extension.

    Where the platform has no broker, there is nothing of it.
    """
    if _broker(environ):
        paths = (str(CONFIG), environ.get("JUPYTER_CONFIG_PATH"))
        environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))


def _broker(environ: MutableMapping[str, str]) -> str:
    """The broker's URL; empty if there is none."""
    text = environ.get(variable("cluster"))
    data = Ticket.loads("cluster", text).data if text else {}
    return str(data["address"]) if data.get("broker") else ""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "greyhub.dask_panel"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from greyhub.dask_panel.handler import routes

    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(".*$", routes(f"{base}{FOLDER}", _broker(os.environ)))
