"""Clusters by a broker, as notebooks reach them: past the proxy, and while nothing answers."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from greyhub.session import Session, connect
from tests.conftest import make_directory
from tests.support.brokers import BrokerHub, no_finalizers  # noqa: F401
from tests.support.processes import command, ended, started_in
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes


CONFIG = """
c.LocalBrokerCluster.end_with_server = False
# The cluster of the test before may be ending still.
c.LocalBrokerCluster.user_limits = {"clusters": 8, "workers": 8}
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[BrokerHub]:
    lasting = BrokerHub(make_directory(), CONFIG)
    with lasting.running("ada") as found:
        yield found


@pytest.fixture
def session(hub: BrokerHub, monkeypatch: pytest.MonkeyPatch) -> Session:
    """What a notebook of ada's has."""
    environ = hub.environment("ada")
    for name in environ:
        if name.startswith("JUPYTERHUB_"):
            monkeypatch.setenv(name, environ[name])
    return connect(environ)


def _proxies(hub: BrokerHub) -> set[psutil.Process]:
    return {
        each
        for each in started_in(hub.directory)
        if any("dask-gateway-proxy" in word for word in command(each))
    }


def test_a_killed_proxy_takes_no_results(hub: BrokerHub, session: Session) -> None:
    with session.cluster(workers=1) as cluster, cluster.get_client() as client:
        assert client.scheduler.address.startswith("tls://127.0.0.1:")
        kept = client.submit(pow, 3, 3)
        assert kept.result(MINUTE) == 27
        [before] = _proxies(hub)
        before.kill()
        assert client.submit(pow, 2, 5).result(MINUTE) == 32
        until(lambda: _proxies(hub) - {before}, what="another proxy")
        assert kept.result(MINUTE) == 27
        assert cluster.status == "running"


def test_a_killed_proxy_is_waited_for(hub: BrokerHub, session: Session) -> None:
    with session.cluster(workers=1) as cluster, cluster.get_client() as client:
        [before] = _proxies(hub)
        before.kill()
        until(lambda: ended(before.pid), what="its end")
        cluster.scale(2)
        client.wait_for_workers(2, timeout=MINUTE)
        [before] = until(lambda: _proxies(hub) - {before}, what="another proxy")
        before.kill()
        until(lambda: ended(before.pid), what="its end")
    until(lambda: not hub.parts(cluster.name), what="the end of scheduler and workers")


def test_where_no_scheduler_can_be_reached_it_is_by_the_proxy(
    hub: BrokerHub, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(address: str) -> bool:
        return False

    monkeypatch.setattr("greyhub.clusters.gateway_reports.reachable", nothing)
    with session.cluster(workers=1) as cluster, cluster.get_client() as client:
        assert client.scheduler.address.startswith(f"gateway://127.0.0.1:{hub.broker_port}/")
        assert client.submit(pow, 2, 5).result(MINUTE) == 32


def test_an_idle_cluster_whose_broker_never_comes_back_ends_itself(
    hub: BrokerHub, session: Session
) -> None:
    cluster: Any = session.cluster(workers=1, idle_timeout=10, shutdown_on_close=False)
    with cluster.get_client() as client:
        assert client.submit(pow, 2, 5).result(MINUTE) == 32
    hub.stop(signal.SIGKILL)
    until(lambda: not hub.parts(cluster.name), what="the end of scheduler and worker")
    hub.start()
    cluster.close()
