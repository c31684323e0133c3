"""The cluster factory of JupyterLab's Dask panel."""

from __future__ import annotations

import os
from typing import Any, Final

import greyhub

FOLDER: Final = "proxy/clusters"
"""Where `greyhub.dask_panel` has dashboards, below the server's own URL, by a cluster's name.

The panel takes a link as it is only if it is below ``proxy``.
"""


def new_cluster(**options: Any) -> Any:
    """A cluster of this platform, inside the notebook server's own event loop."""
    cluster: Any = greyhub.connect().cluster(**options)
    if getattr(cluster, "broker", False):
        cluster.link_of = _below_the_server
    return cluster


def _below_the_server(name: str) -> str:
    return f"{os.environ.get('JUPYTERHUB_SERVICE_PREFIX', '/')}{FOLDER}/{name}/status"
