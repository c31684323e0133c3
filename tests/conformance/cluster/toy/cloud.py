"""The toy cloud, which can be told to lose sight of clusters."""

from __future__ import annotations

from typing import Any

from examples.cluster.toycluster import cloud


class Cloud(cloud.Cloud):
    """One that has stubborn clusters, and some that cannot be reaped."""

    def ends_with(self, cluster: dict[str, Any], lost: bool) -> bool:
        """Stubborn ones do not end with their scheduler."""
        return lost and not cluster.get("stubborn")

    def reap(self) -> None:
        """All but those that cannot be."""
        hidden = {n: c for n, c in self.clusters.items() if not c.get("reapable", True)}
        self.clusters = {n: c for n, c in self.clusters.items() if n not in hidden}
        super().reap()
        self.clusters |= hidden

    def begin(self, job: dict[str, Any]) -> Any:
        """Jobs that can be broken."""
        from tests.conformance.cluster.toy import jobs

        return getattr(jobs, job["kind"])


class Running(cloud.Running):
    """It, in a process of its own."""

    cloud_class = Cloud
