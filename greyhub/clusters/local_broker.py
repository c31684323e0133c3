"""Dask clusters on the hub's own machine, by a broker: limits hold for each user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from traitlets import default

from greyhub.clusters import Cluster
from greyhub.clusters.brokered import BrokeredCluster
from greyhub.sizes import processors

SHARED: Final = ("HOME", "PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "TZ")
"""Variables of the notebook that its workers have, too."""


class LocalBrokerCluster(BrokeredCluster):
    """Schedulers and workers as processes of the hub's machine, under their owner's uid."""

    needs: ClassVar[Mapping[str, str]] = {
        "servers-on-hub": "schedulers and workers are processes beside the servers"
    }

    @default("user_limits")
    def _the_machine(self) -> dict[str, Any]:
        return {"clusters": 5, "workers": processors()}

    def backend(self) -> tuple[str, Mapping[str, Any]]:
        """Processes."""
        spawner = self.parent.config.get("LocalSpawner", {})
        uids = {name: spawner[name] for name in ("first_uid", "last_uid") if name in spawner}
        return "greyhub.broker.processes.ProcessBackend", {
            "directory": str(self.parent.state / "clusters"),
            "state_dir": str(self.parent.private),
            **uids,
        }

    @property
    def listen_ip(self) -> str:
        """Loopback, unless it is said otherwise: everything is on this machine."""
        return self.ip or "127.0.0.1"

    @property
    def reached_at(self) -> str:
        """The same."""
        return self.connect_ip or self._here

    @classmethod
    def connect(
        cls, ticket: Mapping[str, Any], workers: int | None = None, **options: Any
    ) -> Cluster:
        """A new cluster, with the home and the search path of this process."""
        here = {name: os.environ[name] for name in SHARED if name in os.environ}
        options["environment"] = here | options.get("environment", {})
        return super().connect(ticket, workers, **options)
