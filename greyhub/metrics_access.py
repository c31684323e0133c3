"""Who reads the hub's ``/metrics``: a service of the hub's, with no other right.

JupyterHub shows its metrics to whoever has the scope ``read:metrics``. A Prometheus has
it by the token in the variable ``GREYHUB_METRICS_TOKEN``, which it sends as a bearer's.
"""

from __future__ import annotations

import os
from typing import Final

from greyhub.adapter import Contribution
from greyhub.secrets import Secret

VARIABLE: Final = "GREYHUB_METRICS_TOKEN"
NAME: Final = "greyhub-metrics"


def contribution() -> Contribution:
    """The service and its role, where the variable has a token."""
    if not os.environ.get(VARIABLE):
        return Contribution()
    return Contribution(
        services=[{"name": NAME, "api_token": Secret(env=VARIABLE)}],
        roles=[{"name": NAME, "services": [NAME], "scopes": ["read:metrics"]}],
    )
