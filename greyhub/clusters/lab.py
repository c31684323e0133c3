"""The cluster factory of JupyterLab's Dask panel."""

from __future__ import annotations

from typing import Any

import greyhub


def new_cluster(**options: Any) -> Any:
    """A cluster of this platform, inside the notebook server's own event loop."""
    return greyhub.connect().cluster(**options)
