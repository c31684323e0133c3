"""Clusters by a broker, on a real hub with its real proxy: what owners get, and others do not."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import requests

from tests.conftest import make_directory
from tests.support.brokers import BrokerHub, no_finalizers  # noqa: F401
from tests.support.processes import ended
from tests.support.waiting import MINUTE, until

# What a scheduler is asked to run goes there as it is: it cannot read this file.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def hub() -> Iterator[BrokerHub]:
    limits = (
        'c.LocalBrokerCluster.user_limits = {"clusters": 2, "workers": 2}\n'
        'c.LocalBrokerCluster.group_limits = {"students": {"workers": 1}}\n'
        'c.JupyterHub.load_groups = {"students": {"users": ["cy", "di"]}}\n'
    )
    with BrokerHub(make_directory(), limits).running("ada", "bob") as found:
        yield found


@pytest.fixture
def cluster(hub: BrokerHub) -> Iterator[Any]:
    """A cluster of ada's."""
    with hub.gateway("ada") as gateway:
        made = gateway.new_cluster()
        try:
            yield made
        finally:
            made.shutdown()
            until(lambda: not hub.parts(made.name), 30, "the end of the cluster")


def test_a_cluster_computes_under_its_owners_uid_and_leaves_nothing(hub: BrokerHub) -> None:
    with hub.gateway("ada") as gateway:
        cluster = gateway.new_cluster(environment={"COLOUR": "grey"})
        cluster.scale(1)
        with cluster.get_client() as client:
            assert client.submit(pow, 2, 10).result(MINUTE) == 1024
            assert set(client.run(os.getenv, "COLOUR").values()) == {"grey"}
            uids = set(client.run(os.getuid).values())
            (spilled,) = client.run(lambda dask_worker: dask_worker.local_directory).values()
        server = Path(f"/proc/{hub.pid('ada')}").stat().st_uid
        assert uids == {server}
        above = Path(spilled).parents[1].stat()
        assert (above.st_uid, above.st_mode & 0o077) == (server, 0)
        parts = hub.parts(cluster.name)
        lines = [Path(f"/proc/{each}/cmdline").read_text() for each in parts]
        given = [Path(f"/proc/{each}/environ").read_text() for each in parts]
        token = hub.token_of("ada")
        secret = given[0].split("DASK_GATEWAY_API_TOKEN=")[1].split("\0")[0]
        assert not any(token in line or secret in line for line in lines)
        assert not any(token in each for each in given)
        cluster.shutdown()
    until(lambda: all(map(ended, parts)), 30, "the end of scheduler and worker")
    until(lambda: not list((hub.state / "clusters").iterdir()), 30, "the end of its files")


def test_limits_are_kept_and_told(hub: BrokerHub, cluster: Any) -> None:
    with pytest.warns(
        Warning, match=r"5 workers were asked for, and 2 can be had: all clusters of"
    ):
        cluster.scale(5)
    with cluster.get_client() as client:
        client.wait_for_workers(2, timeout=MINUTE)
        # Who asks the scheduler itself gets no more.
        client.run_on_scheduler(_want, 9)
        for _ in range(3):
            client.run_on_scheduler(_beat)
        assert len(client.scheduler_info()["workers"]) == 2
        assert len(hub.kinds(cluster.name) - {"scheduler"}) == 2
    with hub.gateway("ada") as gateway:
        second = gateway.new_cluster()
        with pytest.warns(Warning, match="0 can be had"):
            second.scale(1)
        refused = hub.call("ada", "POST", "clusters/", json={}).json()["error"]
        assert "all clusters of ada together can have 2 clusters at a time, and have 2" in refused
        assert "\n  fix: end one of them" in refused
        second.shutdown()
    assert "a worker has at most 4 cores" in hub.cannot("ada", worker_cores=5)


def _want(workers: int, dask_scheduler: Any) -> None:
    dask_scheduler.services["gateway"].count = workers


async def _beat(dask_scheduler: Any) -> None:
    await dask_scheduler.services["gateway"].heartbeat()


def test_the_users_of_a_group_share_a_limit(hub: BrokerHub) -> None:
    for user in ("cy", "di"):
        hub.spawn(user)
    with hub.gateway("cy") as one, hub.gateway("di") as other:
        first, second = one.new_cluster(), other.new_cluster()
        first.scale(1)
        with pytest.warns(Warning, match="all users of the group students together"):
            second.scale(1)
        first.shutdown()
        second.shutdown()


def test_a_repeated_request_makes_no_second_cluster(hub: BrokerHub) -> None:
    asked = {"cluster_options": {"key": "0a1b2c"}}
    names = {hub.call("ada", "POST", "clusters/", json=asked).json()["name"] for _ in range(2)}
    assert len(names) == 1
    hub.call("ada", "DELETE", f"clusters/{names.pop()}")


def test_nobody_else_reaches_a_cluster(hub: BrokerHub, cluster: Any) -> None:
    cluster.scale(1)
    with cluster.get_client() as client:
        client.wait_for_workers(1, timeout=MINUTE)
        info = client.scheduler_info()
        told = client.run_on_scheduler(_addresses)
    address, worker = next(iter(info["workers"].items()))
    for path in ("", "/reason"):
        assert hub.call("bob", "GET", f"clusters/{cluster.name}{path}").status_code in (403, 404)
    for path, body in (("scale", {"count": 1}), ("adapt", {"minimum": 0, "maximum": 1})):
        answer = hub.call("bob", "POST", f"clusters/{cluster.name}/{path}", json=body)
        assert answer.status_code == 403
    assert hub.call("bob", "DELETE", f"clusters/{cluster.name}").status_code == 403
    assert hub.call("bob", "GET", "clusters/").json() == {}
    # By address: pages and the scheduler's own API want the cluster's token.
    services = [worker["services"]["dashboard"], told["dashboard"], told["gateway"]]
    for port in services:
        for path in (
            "status",
            "metrics",
            "json/identity.json",
            "api/comm",
            "info/main/workers.html",
        ):
            for headers in ({}, {"Authorization": f"token {hub.token_of('bob')}"}):
                answer = requests.get(
                    f"http://127.0.0.1:{port}/{path}", headers=headers, timeout=MINUTE
                )
                assert answer.status_code in (403, 404, 405)
                assert cluster.name not in answer.text
    # By the connections of Dask: a certificate of another cluster opens nothing.
    with hub.gateway("bob") as gateway:
        other = gateway.new_cluster()
        for port in (told["scheduler"], int(address.rpartition(":")[2])):
            for context in (other.security.get_connection_args("client")["ssl_context"], _open()):
                for name in (None, f"daskgateway-{cluster.name}"):
                    assert not asyncio.run(_speaks(port, context, name))
        for context in (other.security.get_connection_args("client")["ssl_context"], _open()):
            assert not asyncio.run(_speaks(hub.broker_port, context, f"daskgateway-{cluster.name}"))
        own = cluster.security.get_connection_args("client")["ssl_context"]
        assert asyncio.run(_speaks(hub.broker_port, own, f"daskgateway-{cluster.name}"))
        other.shutdown()


def _addresses(dask_scheduler: Any) -> dict[str, int]:
    return {
        "dashboard": dask_scheduler.services["dashboard"].port,
        "gateway": dask_scheduler.services["gateway"].port,
        "scheduler": dask_scheduler.port,
    }


def _open() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _speaks(port: int, context: ssl.SSLContext, name: str | None) -> bool:
    """Whether what listens answers Dask's first words."""
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or ""), 10
        )
        try:
            return bool(await asyncio.wait_for(reader.read(1), 10))
        finally:
            writer.close()
    except (TimeoutError, OSError, ssl.SSLError):
        return False


def test_the_dashboard_opens_by_the_hub_for_its_owner_alone(hub: BrokerHub, cluster: Any) -> None:
    assert cluster.dashboard_link.startswith(f"{hub.url}services/clusters/clusters/")
    page = hub.login("ada").get(cluster.dashboard_link, timeout=MINUTE)
    assert page.ok
    assert "Dask" in page.text
    assert hub.login("bob").get(cluster.dashboard_link, timeout=MINUTE).status_code == 404
    asked = requests.get(cluster.dashboard_link, timeout=MINUTE)
    assert "/hub/login" in asked.url


def test_a_start_that_fails_says_why(hub: BrokerHub) -> None:
    assert "The scheduler's process has ended" in hub.failed("ada", python="/bin/false")
    assert "/no/such/python cannot be run" in hub.failed("ada", python="/no/such/python")


def test_a_scheduler_that_is_killed_is_noticed_and_told(hub: BrokerHub, cluster: Any) -> None:
    cluster.scale(1)
    with cluster.get_client() as client:
        client.wait_for_workers(1, timeout=MINUTE)
        os.kill(client.run_on_scheduler(os.getpid), signal.SIGKILL)
    until(lambda: not hub.parts(cluster.name), 90, "the end of the workers")
    reason = hub.call("ada", "GET", f"clusters/{cluster.name}/reason").json()["reason"]
    assert "The scheduler's process has ended" in reason


def test_a_cluster_outlives_broker_proxy_and_hub(hub: BrokerHub, cluster: Any) -> None:
    cluster.scale(1)
    client = cluster.get_client()
    client.wait_for_workers(1, timeout=MINUTE)
    kept = client.submit(pow, 3, 3)
    assert kept.result(MINUTE) == 27
    before = hub.parts(cluster.name)
    os.kill(hub.broker(), signal.SIGKILL)
    hub.stop(signal.SIGKILL)
    hub.start()
    assert set(before) <= set(hub.parts(cluster.name))
    assert kept.result(MINUTE) == 27
    assert client.submit(pow, 2, 3).result(MINUTE) == 8
    # A new client by the same name, and the new broker scales it.
    with hub.gateway("ada") as gateway:
        assert [each.name for each in gateway.list_clusters()] == [cluster.name]
        again = gateway.connect(cluster.name)
        again.scale(2)
        client.wait_for_workers(2, timeout=MINUTE)
        again.close()
    client.close()


def test_a_broker_that_is_killed_is_followed_by_another_without_the_hub(hub: BrokerHub) -> None:
    """Before JupyterHub looks after its services again: it never notices."""
    begun = len(hub.log.read_text())
    os.kill(hub.broker(), signal.SIGKILL)

    def another() -> bool:
        try:
            return hub.call("ada", "GET", "clusters/").ok
        except requests.RequestException:
            return False

    until(lambda: "another follows" in hub.log.read_text()[begun:], what="its end to be noticed")
    until(another, what="another broker")
    assert hub.broker()
    assert "Service clusters exited" not in hub.log.read_text()[begun:]


def test_a_cluster_ends_with_the_server_that_asked_for_it(hub: BrokerHub) -> None:
    hub.spawn("eve")
    with hub.gateway("eve") as gateway:
        gone = gateway.new_cluster(server="", shutdown_on_close=False)
        kept = gateway.new_cluster(server="", persist=True, shutdown_on_close=False)
        hub.stop_server("eve")
        until(lambda: not hub.parts(gone.name), 90, "the end of the cluster")
        assert hub.parts(kept.name)
    hub.spawn("eve")
    with hub.gateway("eve") as gateway:
        reason = hub.call("eve", "GET", f"clusters/{gone.name}/reason").json()["reason"]
        assert "the server that asked for it has stopped" in reason
        gateway.stop_cluster(kept.name)
    until(lambda: not hub.parts(kept.name), 30, "its end")


def test_a_forgotten_cluster_ends_itself(hub: BrokerHub) -> None:
    with hub.gateway("ada") as gateway:
        cluster = gateway.new_cluster(idle_timeout=1.0, shutdown_on_close=False)
        until(lambda: not hub.parts(cluster.name), 60, "the end of the cluster")
    assert "idle_timeout=0 cannot be had" in hub.cannot("ada", idle_timeout=0)


def test_a_port_that_is_taken_is_said_at_once(directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for option in ("port", "api_port", "dashboard_port"):
            hub = BrokerHub(directory / option, f"c.LocalBrokerCluster.{option} = {port}\n")
            said = hub.refused()
            assert f"port {port} of 127.0.0.1 cannot be used by the broker" in said
            assert f"set {option} of the cluster's adapter" in said
