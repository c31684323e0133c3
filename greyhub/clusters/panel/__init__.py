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

CONFIG: Final = Path(__file__).parent / "config"

FOLDER: Final = "greyhub/clusters"
"""Where dashboards are, below the server's own URL: then comes a cluster's name."""


def show(environ: MutableMapping[str, str]) -> None:
    """Let the notebook server that begins with this environment find the extension."""
    name = "JUPYTER_CONFIG_PATH"
    environ[name] = os.pathsep.join(filter(None, (str(CONFIG), environ.get(name))))


def link(name: str) -> str:
    """The path of a cluster's dashboard in the user's browser."""
    return f"{os.environ.get('JUPYTERHUB_SERVICE_PREFIX', '/')}{FOLDER}/{name}/status"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "greyhub.clusters.panel"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from greyhub.clusters.panel.handler import routes

    server.web_app.add_handlers(".*$", routes(server.web_app.settings["base_url"]))
