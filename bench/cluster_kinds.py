"""What each kind of cluster in `bench.clusters` is measured by, and the kinds on one machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.strangers.gateway import Gateway
from tests.support.hubs import Hub
from tests.support.ports import free_port


@dataclass
class Kind:
    """How a cluster is made.

    Parameters
    ----------
    make : callable
        A new cluster.
    gone : callable
        Waits until nothing of one that was closed is left, where its close does not.
    """

    make: Callable[[], Any]
    gone: Callable[[Any], None] = lambda made: None


def of_user(hub: Hub) -> Callable[[], Any]:
    """Start a hub; what makes clusters in the name of a user's server."""
    from greyhub.session import connect

    hub.start()
    hub.spawn("ada")
    environ = hub.environment("ada")
    session = connect(environ)

    def make() -> Any:
        os.environ |= {name: environ[name] for name in environ if name.startswith("JUPYTERHUB_")}
        return session.cluster()

    return make


@contextmanager
def bare() -> Iterator[Kind]:
    """distributed's LocalCluster."""
    from distributed import LocalCluster

    yield Kind(
        lambda: LocalCluster(
            n_workers=0, threads_per_worker=1, security=True, dashboard_address="127.0.0.1:0"
        )
    )


@contextmanager
def local() -> Iterator[Kind]:
    """greyhub's local slot: a scheduler in the notebook's own process."""
    from greyhub.clusters.limited import LimitedCluster

    yield Kind(
        lambda: LimitedCluster(
            max_workers=64, n_workers=0, idle_timeout="1 hour", threads_per_worker=1
        )
    )


@contextmanager
def gateway() -> Iterator[Kind]:
    """dask-gateway's UnsafeLocalBackend."""
    from dask_gateway import BasicAuth, GatewayCluster

    os.environ["GATEWAY_MOST"] = "64"
    server = Gateway()
    try:
        yield Kind(lambda: GatewayCluster(server.url, auth=BasicAuth("ada")))
    finally:
        server.close()


@contextmanager
def broker() -> Iterator[Kind]:
    """greyhub's broker, with a hub in front of it."""
    directory = Path(tempfile.mkdtemp(prefix="bench-clusters-"))
    directory.chmod(0o755)
    hub = Hub(
        directory,
        f"""\
        c.GreyHub.cluster = "local-broker"
        c.LocalBrokerCluster.port = {free_port()}
        c.LocalBrokerCluster.api_port = {free_port()}
        c.LocalBrokerCluster.dashboard_port = {free_port()}
        c.LocalBrokerCluster.user_limits = {{}}
        """,
    )
    try:
        yield Kind(of_user(hub))
    finally:
        hub.end()
        shutil.rmtree(directory, ignore_errors=True)
