"""Clusters of a dask-gateway, on its own server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from greyhub.clusters import Cluster, installed, left_behind, scheduler_check
from greyhub.clusters.gateway import GatewayAdapter
from greyhub.conformance.testkit.audit import cut_off
from greyhub.conformance.testkit.faults import FaultProxy
from greyhub.errors import ClusterError
from greyhub.session import Session
from greyhub.ticket import Ticket
from tests.conformance.strangers.gateway import Gateway
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes

ADAPTER = "greyhub.clusters.gateway:GatewayAdapter"


@pytest.fixture
def hub(ticket: dict[str, Any]) -> Session:
    spawner = Ticket("spawner", "none:None", {"user": "ada"}, "")
    return Session({"spawner": spawner, "cluster": Ticket("cluster", ADAPTER, ticket, "")})


@pytest.fixture
def cluster(hub: Session) -> Iterator[Any]:
    with hub.cluster(workers=1) as made:
        yield made


def test_it_keeps_the_protocol_computes_and_shows_itself(cluster: Any) -> None:
    assert isinstance(cluster, Cluster)
    with cluster.get_client() as client:
        assert client.submit(sum, [1, 2, 3]).result(timeout=MINUTE) == 6
    until(lambda: "workers=1" in repr(cluster), what="the worker in the repr")
    shown = cluster._repr_html_()
    assert f'<a href="{cluster.dashboard_link}"' in shown
    cluster.ended("failed", "<script>")
    assert "&lt;script&gt;" in cluster._repr_html_()
    assert "dashboard" not in cluster._repr_html_()


def test_numbers_that_cannot_be_are_refused_and_limits_are_told(cluster: Any) -> None:
    for wrong in (-1, 1.5, True, None, "2"):
        with pytest.raises((ValueError, TypeError)):
            cluster.scale(wrong)
    for bounds in ({"minimum": -1}, {"maximum": -1}, {"minimum": 2, "maximum": 1}):
        with pytest.raises(ValueError, match=r"minimum|maximum"):
            cluster.adapt(**bounds)
    with pytest.warns(UserWarning, match="limit of 2 workers") as warned:
        cluster.scale(9)
    assert warned[0].filename == __file__
    with pytest.warns(UserWarning, match="limit of 2 workers"):
        assert cluster.adapt(minimum=1, maximum=9).maximum == 9
    kept = cluster.adapt(minimum=0, maximum=1)
    assert (kept.minimum, kept.maximum) == (0, 1)


def test_a_name_cannot_be_given(hub: Session) -> None:
    with pytest.raises(ClusterError, match=r"hub\.clusters\(\) lists those that run"):
        hub.cluster(name="mine")


def test_another_version_ends_the_cluster_and_is_named(
    hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    here: Any = installed.installed()
    here["versions"]["dask"] = "2020.1.0"
    monkeypatch.setattr(installed, "installed", lambda: here)
    with pytest.raises(ClusterError, match=r"dask +here 2020\.1\.0, on the cluster 20"):
        hub.cluster()
    assert len(hub.clusters()) == 0


def test_a_package_that_is_added_here_is_refused(
    hub: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_science-1.0.dist-info").mkdir()
    (tmp_path / "my_science-1.0.dist-info/METADATA").write_text("Name: my-science\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ClusterError, match=r"my-science +here 1\.0, on the cluster not installed"):
        hub.cluster()
    assert len(hub.clusters()) == 0
    hub.cluster(packages="ignore").close()


def test_a_lost_scheduler_is_noticed_and_said(hub: Session, cluster: Any) -> None:
    import dask

    for process in psutil.process_iter():
        if "scheduler" in " ".join(_command(process)) and cluster.name in _environment(process):
            process.send_signal(signal.SIGKILL)
    with dask.config.set({"distributed.comm.timeouts.connect": "2s"}):
        until(lambda: cluster.status == "failed", what="that it is noticed")
    assert cluster.reason in repr(cluster)
    for call in (cluster.get_client, lambda: cluster.scale(1), cluster.adapt):
        with pytest.raises(ClusterError, match="is failed: ") as refused:
            call()
        assert cluster.reason in str(refused.value)


def test_a_connection_that_breaks_is_made_again(cluster: Any) -> None:
    until(lambda: cluster.scheduler_info["workers"], what="the worker")
    with cut_off(cluster.scheduler_address) as broken:
        assert broken[0] > 0
    cluster.scale(2)
    until(lambda: len(cluster.scheduler_info["workers"]) == 2, what="news of the second worker")
    assert cluster.status == "running"


def test_a_worker_with_other_versions_ends_the_cluster(
    hub: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def differs(scheduler: Any, addresses: list[str]) -> str:
        return f"numpy of {len(addresses)} workers is another one"

    monkeypatch.setattr(scheduler_check, "workers", differs)
    with pytest.warns(UserWarning, match="is ended: numpy of 1 workers"):  # noqa: PT031
        cluster: Any = hub.cluster(workers=1)
        until(lambda: cluster.status == "closed", what="the end of the cluster")
    with pytest.raises(ClusterError, match="numpy of 1 workers"):
        cluster.get_client()
    assert cluster.name not in [each.name for each in hub.clusters()]
    cluster.close()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _environment(process: psutil.Process) -> str:
    try:
        return process.environ().get("DASK_GATEWAY_CLUSTER_NAME", "")
    except psutil.Error:
        return ""


def test_one_lists_joins_and_ends_ones_own(
    hub: Session, ticket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repr(hub.clusters()) == "no clusters"
    made: Any = hub.cluster(workers=1)
    until(lambda: hub.clusters()[0].workers == 1, what="the worker")
    [listed] = hub.clusters()
    assert (listed.name, listed.status) == (made.name, "running")
    assert listed.started is not None
    assert made.name in repr(hub.clusters())
    assert f"<td style='text-align:left'>{made.name}</td>" in hub.clusters()._repr_html_()

    joined = hub.clusters()[made.name].join()
    with joined, joined.get_client() as client:
        assert client.submit(pow, 2, 3).result(timeout=MINUTE) == 8
    assert made.name in [each.name for each in hub.clusters()]

    monkeypatch.setenv("JUPYTERHUB_USER", "bob")
    assert len(GatewayAdapter.clusters(ticket)) == 0
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    listed.end()
    until(lambda: made.status == "closed", what="that its end is noticed")
    assert "somebody ended it" in made.reason
    with pytest.raises(KeyError):
        hub.clusters()[made.name]
    made.close()


def test_many_may_close_it_at_once(hub: Session) -> None:
    cluster: Any = hub.cluster()
    with ThreadPoolExecutor(4) as pool:
        for closing in [pool.submit(cluster.close) for _ in range(4)]:
            assert closing.result(timeout=MINUTE) is None
    assert cluster.status == "closed"
    cluster.close()
    with pytest.raises(ClusterError, match="is closed"):
        cluster.get_client()


def test_what_cannot_be_ended_is_told_and_ended_later(
    ticket: dict[str, Any], server: Gateway
) -> None:
    proxy = FaultProxy(server.url)
    try:
        cluster: Any = GatewayAdapter.connect({**ticket, "address": proxy.url})
        with proxy.fault("refused"), pytest.warns(UserWarning, match="could not be ended"):
            cluster.close()
        assert [each.name for each in GatewayAdapter.clusters(ticket)] in ([], [cluster.name])
        assert len(GatewayAdapter.clusters(ticket)) == 0
        assert asyncio.run(left_behind.end_all()) == []
    finally:
        proxy.close()


def test_a_script_that_forgets_it_leaves_none(ticket: dict[str, Any], hub: Session) -> None:
    script = (
        "import json, sys\n"
        "import aiohttp\n"
        "aiohttp.connector.DefaultResolver = aiohttp.ThreadedResolver\n"  # as without aiodns
        "from greyhub.clusters.gateway import GatewayAdapter\n"
        "kept = [GatewayAdapter.connect(json.load(sys.stdin), 1)]\n"
        "print(kept[0].name)\n"
        # As after a while without requests: at its end it looks the host's name up.
        "kept[0].gateway.sync(kept[0].gateway._cleanup)\n"
    )
    named = ticket["address"].replace("127.0.0.1", "localhost")
    ran = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps({**ticket, "address": named}),
        capture_output=True,
        text=True,
        timeout=MINUTE,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert ran.stdout.strip() not in [each.name for each in hub.clusters()]


async def test_asynchronous_it_is_refused_by_a_plain_with(hub: Session) -> None:
    made: Any = hub.cluster(workers=1, asynchronous=True)
    async with made as cluster:
        with pytest.raises(TypeError, match="async with"), cluster:
            pass
        async with cluster.get_client() as client:
            assert await client.submit(pow, 2, 4) == 16
    assert made.status == "closed"


async def test_jupyterlabs_dask_panel_starts_scales_and_ends_it(
    ticket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask
    from dask_labextension.manager import DaskClusterManager

    told = Ticket("cluster", ADAPTER, ticket, "").dumps()
    spawner = Ticket("spawner", "none:None", {"user": "ada"}, "").dumps()
    monkeypatch.setenv("GREYHUB_CLUSTER", told)
    monkeypatch.setenv("GREYHUB_SPAWNER", spawner)
    factory = {"module": "greyhub.clusters.lab", "class": "new_cluster", "args": [], "kwargs": {}}
    panel = {"factory": factory, "default": {"workers": None, "adapt": None}, "initial": []}
    with dask.config.set(labextension=panel):
        async with DaskClusterManager() as manager:
            model = await manager.start_cluster()
            name = model["id"]
            assert (model["workers"], model["dashboard_link"][:7]) == (0, "http://")
            await manager.scale_cluster(name, 1)
            await _becomes(manager, name, 1)
            model = manager.adapt_cluster(name, 2, 2)
            assert model["adapt"] == {"minimum": 2, "maximum": 2}
            await _becomes(manager, name, 2)
            assert manager.list_clusters()[0]["cores"] == 2
            await manager.close_cluster(name)
            assert manager.list_clusters() == []
    found = await asyncio.to_thread(GatewayAdapter.clusters, ticket)
    assert len(found) == 0


async def _becomes(manager: Any, name: str, workers: int) -> None:
    found = lambda: manager.get_cluster(name)["workers"] == workers  # noqa: E731
    await asyncio.to_thread(until, found, 60, f"{workers} workers in the panel")


def test_daskgateways_own_client_finds_it_by_the_variables(
    ticket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from greyhub.clusters.gateway_connect import environment

    script = "import dask_gateway\nprint(dask_gateway.Gateway().list_clusters())"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment(ticket)},
        capture_output=True,
        text=True,
        timeout=MINUTE,
    )
    assert ran.stdout.strip() == "[]", ran.stderr


def test_a_cluster_that_is_dropped_is_ended(hub: Session) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cluster: Any = hub.cluster()
        name = cluster.name
        del cluster
    until(
        lambda: name not in [each.name for each in hub.clusters()],
        what="the end of what nobody holds",
    )
