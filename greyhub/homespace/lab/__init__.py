"""The JupyterLab extension for homes that are working copies: one word in the status bar.

A small extension of the notebook server answers how the home is; a prebuilt
extension of JupyterLab, plain JavaScript beside this module, asks and shows it.
Both are found by two variables of the server's environment, so nothing is
installed, and where no home is kept there is nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PATHS: Mapping[str, Path] = {"JUPYTER_CONFIG_PATH": HERE / "config", "JUPYTER_PATH": HERE / "share"}


def show(environ: MutableMapping[str, str]) -> None:
    """Let the notebook server that begins with this environment find both extensions."""
    for name, path in PATHS.items():
        environ[name] = os.pathsep.join(filter(None, (str(path), environ.get(name))))


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "greyhub.homespace.lab"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from greyhub.homespace.lab.handler import routes

    server.web_app.add_handlers(".*$", routes(server.web_app.settings["base_url"]))
