"""The cluster factory of JupyterLab's Dask panel."""

from __future__ import annotations

from typing import Any

import greyhub


def new_cluster(**options: Any) -> Any:
    """A cluster of this platform, inside the notebook server's own event loop."""
    cluster: Any = greyhub.connect().cluster(**options)
    if getattr(cluster, "broker", False):
        from greyhub.clusters.panel import link

        cluster.link_of = link  # the panel shows what is below the server's own address
    return cluster
