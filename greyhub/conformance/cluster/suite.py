"""The base class of a cluster adapter's conformance suite: options, hooks and capabilities."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests

from greyhub.adapter import Adapter
from greyhub.conformance.contract import Capability, Contract
from greyhub.conformance.pytest_suite import PytestSuite
from greyhub.conformance.suite import hook
from greyhub.conformance.testkit.ticket import connect

CAPABILITIES = (
    Capability("adaptive", "adapt() lets the number of workers follow the load"),
    Capability("tls", "connections are encrypted, and closed to whoever has no certificate"),
    Capability("quota", "there is a most of workers in one cluster", "the number"),
    Capability(
        "idle_timeout", "a forgotten cluster ends itself", '{"MyCluster.idle_timeout": "2 s"}'
    ),
    Capability("own_scheduler", "the scheduler runs outside of the notebook's process"),
    Capability("remote", "parts are made through an API that can be out of reach"),
    Capability("shared", "the backend holds the clusters of many users, and tells them apart"),
    Capability("reattach", "a cluster can outlive its notebook, and is found again by its name"),
    Capability("groups", "one job of the backend holds several workers", "how many"),
    Capability(
        "reaps_on_client_death",
        "a cluster ends when its notebook is killed",
        "the seconds that this may take",
    ),
    Capability("tokens", "workers are given the user's token of the hub, on purpose"),
)

CONTRACT = Contract(
    "cluster",
    "1.0",
    case="case:ClusterCase",
    capabilities={capability.name: capability for capability in CAPABILITIES},
)

ENVIRONMENT = {
    "JUPYTERHUB_API_TOKEN": "conformance-token-of-the-server-0b1e",
    "JPY_API_TOKEN": "conformance-token-of-the-server-7c2f",
    "JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api",
    "JUPYTERHUB_USER": "ada",
    "JUPYTERHUB_SERVER_NAME": "",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
}
"""What a hub has put into the environment of a notebook: tokens, too."""

TOKENS = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")
"""Those of `ENVIRONMENT` that are nobody's but the server's."""


@dataclass(frozen=True)
class Part:
    """A scheduler or a worker, as the backend sees it."""

    id: str
    """Its name in the backend."""

    kind: str = "worker"
    """``worker`` or ``scheduler``; anything else for what costs money beside them."""

    labels: Mapping[str, str] | None = None
    """What it is labelled with, under the names ``hub``, ``user`` and ``cluster``; None
    where it cannot be."""

    argv: Collection[str] | None = field(default=None, repr=False)
    """Its command line; None where it cannot be seen."""


class ClusterSuite(PytestSuite):
    """Judges what makes Dask clusters: a class, a factory, or an adapter of greyhub's.

    In `config`, ``{user}`` stands for the name of who makes a cluster. Parts that
    are processes of this machine are found by `OnThisMachine`: then an author
    writes no hooks at all. Time is short in the suite: Dask's own
    intervals are set to fractions of a second, by `dask.config`.
    """

    contract = CONTRACT
    endpoint_hooks = ("fault",)
    forks_each_clause = True

    thorough: bool = False
    """Whether to do also what takes minutes."""

    place = Path.cwd()
    """Where relative paths in the options of an adapter of greyhub's stand."""

    overrides: Mapping[str, Any] = {}
    """Options in place of those of `config`, for one clause: ``MyCluster.idle_timeout``."""

    @hook
    def alive(self) -> Collection[Part]:
        """All that exists in the backend, starting or running, of any user."""
        raise NotImplementedError

    @hook
    def kill(self, part: Part) -> None:
        """End a part as a failing node would: at once, and without telling the adapter."""
        raise NotImplementedError

    @hook
    def fault(self, kind: str, room: int = 0) -> AbstractContextManager[Any]:
        """Break the backend while a block lasts.

        Parameters
        ----------
        kind : str
            ``full``: there is no capacity for more than `room` workers.
            ``scheduler``: no scheduler comes up. ``unreachable``: the backend's
            API does not answer; given by `endpoint`.
        """
        raise NotImplementedError

    @hook
    def list_clusters(self, user: str) -> Collection[str]:
        """The clusters that the adapter's own API lists for a user, as in `Part.labels`."""
        raise NotImplementedError

    @hook
    def reattach(self, user: str, name: str) -> Any:
        """A cluster that another notebook of the user's has made and left, by its name."""
        raise NotImplementedError

    @hook
    def reap(self) -> None:
        """Let the adapter's platform do now what it does from time to time: end what is lost."""
        raise NotImplementedError

    def make(self, user: str, workers: int = 0, **options: Any) -> Any:
        """A new cluster of a user's, as a notebook makes it.

        An adapter of greyhub's is asked for the user's ticket and connected; any
        other class or function is called with the options of `config`. Override
        it where a user is more than a name.
        """
        subject = self.subject()
        if isinstance(subject, type) and issubclass(subject, Adapter):
            options["workers"] = workers
        cluster = connect(subject, self.overridden(user), user, self.place, **options)
        if workers and "workers" not in options:
            cluster.scale(workers)
        return cluster

    def visit(self, link: str, user: str) -> int:
        """The status that a dashboard's link answers to a user's browser.

        By default a link into jupyter-server-proxy is asked for at its port, and
        no credentials are shown: override it where the backend asks for some.
        """
        parts = urlsplit(link)
        if not parts.netloc:
            port = next((part for part in parts.path.split("/") if part.isdigit()), "80")
            absolute = "/proxy/absolute/" in parts.path
            path = parts.path if absolute else parts.path.partition(f"/{port}")[2]
            link = f"http://127.0.0.1:{port}{path}"
        return requests.get(link, timeout=5 * self.patience, allow_redirects=False).status_code

    def overridden(self, user: str = "") -> dict[str, dict[str, Any]]:
        """The options as they are in a clause: with a proxy's URL in place of the backend's."""
        options = self.proxied(user=user)
        for path, value in self.overrides.items():
            section, _, name = path.rpartition(".")
            options.setdefault(section, {})[name] = value
        return options

    @classmethod
    def preload(cls) -> None:
        """Dask, with all that a cluster serves."""
        from greyhub.conformance.cluster import dask_setup

        super().preload()
        dask_setup.imports(dashboards=cls._shows())

    @classmethod
    def _shows(cls) -> bool:
        """Whether a dashboard may be served here: not where an API makes every scheduler."""
        return not {"remote", "own_scheduler"} <= set(cls.claims)

    def begin(self) -> None:
        """Become a notebook: its environment, and all that it imports sooner or later."""
        from greyhub.conformance.cluster import dask_setup

        self._environment = mock.patch.dict(os.environ, ENVIRONMENT)
        self._environment.start()
        # Parts that an API makes are no children of a notebook.
        nannies = "remote" not in self.claims
        self._dask = dask_setup.up(self.patience, nannies=nannies, dashboards=self._shows())
        super().begin()

    def end(self) -> None:
        """Be one no longer."""
        try:
            super().end()
        finally:
            self._dask.close()
            self._environment.stop()

    def sweep(self) -> None:
        """Kill every part that is left, and see that it is gone."""
        if not (self.has("alive") and self.has("kill")):
            return
        deadline = time.monotonic() + 4 * self.patience
        while parts := self.alive():
            for part in parts:
                self.kill(part)
            if time.monotonic() > deadline:
                raise TimeoutError(f"kill() does not end {', '.join(part.id for part in parts)}")
            time.sleep(0.01)
