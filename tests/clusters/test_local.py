"""Dask clusters in the user's own server."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dask
import psutil
import pytest
import requests

from greyhub.clusters import Cluster
from greyhub.clusters.local import LocalCluster
from tests.support.processes import command
from tests.support.waiting import MINUTE, until

pytestmark = pytest.mark.processes

TICKET = {
    "max_workers": 2,
    "threads_per_worker": 1,
    "memory_limit": "1 GiB",
    "idle_timeout": "20 minutes",
}


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    return "/user/ada/"


@pytest.fixture
def cluster(prefix: str) -> Iterator[Any]:
    with LocalCluster.connect(TICKET, workers=1) as made:
        yield made


def test_it_keeps_the_protocol_and_computes(cluster: Any) -> None:
    assert isinstance(cluster, Cluster)
    with cluster.get_client() as client:
        assert client.submit(sum, [1, 2, 3]).result(timeout=MINUTE) == 6
    assert "workers=1" in repr(cluster)
    assert "Dashboard" in cluster._repr_html_()


def test_it_scales_and_never_beyond_its_limit(cluster: Any) -> None:
    with pytest.warns(UserWarning, match="asked for 99 workers, given 2") as warned:
        cluster.scale(99)
    assert warned[0].filename == __file__
    until(lambda: len(cluster.scheduler_info["workers"]) == 2, what="the second worker")
    with pytest.warns(UserWarning, match="asked for 50 workers, given 2"):
        adaptive = cluster.adapt(minimum=0, maximum=50)
    assert adaptive.maximum == 2
    assert cluster.adapt().maximum == 2


def test_other_accounts_of_the_machine_find_it_closed(cluster: Any) -> None:
    assert cluster.scheduler_address.startswith("tls://127.0.0.1:")
    link = cluster.dashboard_link
    found = re.fullmatch(r"(/user/ada/proxy/absolute/(\d+)/\S{16})/status", link)
    assert found, link
    base = f"http://127.0.0.1:{found[2]}"
    assert requests.get(base + link, timeout=MINUTE).status_code == 200
    for path in ("/status", "/info/main/workers.html", "/json/identity.json", "/api/v1/adaptive"):
        assert requests.get(base + path, timeout=MINUTE).status_code == 404
    # What workers serve is closed, too.
    for process in psutil.Process().children(recursive=True):
        for connection in process.net_connections():
            if connection.status == psutil.CONN_LISTEN:
                address = f"http://127.0.0.1:{connection.laddr.port}"
                for path in ("/status", "/metrics", "/info/main/workers.html"):
                    assert not served(address + path), address + path


def test_what_is_spilled_and_imported_is_in_no_directory_of_others(
    prefix: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dask-scratch-space", f"dask-scratch-space-{os.geteuid()}"):
        (directory / name).mkdir()
        (directory / name).chmod(0o777)  # as another user of the machine may have made it
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    with (
        dask.config.set({"temporary-directory": None}),
        LocalCluster.connect(TICKET, workers=1) as cluster,
        cluster.get_client() as client,
    ):
        found = client.run(lambda dask_worker: dask_worker.local_directory)
        used = {*found.values(), cluster.scheduler.local_directory, *sys.path}
    ours = {Path(each) for each in used if each.startswith(str(directory))}
    assert len(ours) >= 2
    for each in ours:
        top = directory / each.relative_to(directory).parts[0]
        assert top.stat().st_mode & 0o777 == 0o700, each


def served(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def test_a_strangers_client_is_not_let_in(cluster: Any) -> None:
    from distributed import Client

    with pytest.raises((OSError, TypeError, RuntimeError)):
        # As the default it would leave dask.config changed when it is refused.
        Client(cluster.scheduler_address, timeout=2, set_as_default=False)


def test_an_idle_cluster_ends_itself(prefix: str) -> None:
    before = set(psutil.Process().children(recursive=True))
    cluster: Any = LocalCluster.connect({**TICKET, "idle_timeout": "6 s"}, workers=1)
    until(lambda: cluster.status.name == "closed", what="the idle cluster's end")
    left = set(psutil.Process().children(recursive=True)) - before
    assert not [each for each in left if "resource_tracker" not in " ".join(command(each))]
    cluster.close()


def test_closing_twice_and_a_block_that_fails_leave_nothing(prefix: str) -> None:
    with pytest.raises(ZeroDivisionError), LocalCluster.connect(TICKET, workers=1) as cluster:
        raise ZeroDivisionError
    cluster.close()
    assert cluster.status.name == "closed"


def test_two_threads_may_close_it_at_once(prefix: str) -> None:
    cluster: Any = LocalCluster.connect(TICKET, workers=1)
    with ThreadPoolExecutor(4) as pool:
        for closing in [pool.submit(cluster.close) for _ in range(4)]:
            assert closing.result(timeout=MINUTE) is None
    assert cluster.status.name == "closed"


def test_a_name_is_one_clusters_while_it_is_open(prefix: str) -> None:
    with (
        LocalCluster.connect(TICKET, workers=0, name="mine"),
        pytest.raises(ValueError, match="a cluster named 'mine' is open"),
    ):
        LocalCluster.connect(TICKET, workers=0, name="mine")
    with LocalCluster.connect(TICKET, workers=0, name="mine") as again:
        assert again.name == "mine"


def test_workers_have_none_of_the_servers_tokens(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "JUPYTER_TOKEN", "CONFIGPROXY_AUTH_TOKEN")
    for name in tokens:
        monkeypatch.setenv(name, "a-token-of-the-server")
    monkeypatch.setenv("MY_API_TOKEN", "a-token-of-mine")
    with (
        LocalCluster.connect(TICKET, workers=1, env={"GIVEN": "by me"}) as cluster,
        cluster.get_client() as client,
    ):
        client.wait_for_workers(1, timeout=MINUTE)
        [environment] = client.run(lambda: dict(__import__("os").environ)).values()
    assert "a-token-of-the-server" not in environment.values()
    assert environment["MY_API_TOKEN"] == "a-token-of-mine"
    assert environment["GIVEN"] == "by me"
    assert environment["JUPYTERHUB_SERVICE_PREFIX"] == prefix


def test_workers_may_be_threads(prefix: str) -> None:
    with (
        LocalCluster.connect(TICKET, workers=1, processes=False) as cluster,
        cluster.get_client() as client,
    ):
        assert client.submit(sum, [1, 2]).result(timeout=MINUTE) == 3


def test_results_survive_scaling_down(prefix: str) -> None:
    with (
        LocalCluster.connect(TICKET, workers=2) as cluster,
        cluster.get_client() as client,
    ):
        client.wait_for_workers(2, timeout=MINUTE)
        held = client.map(lambda n: (n, __import__("os").urandom(8)), range(20), pure=False)
        before = client.gather(held)
        cluster.scale(1)
        until(lambda: len(client.nthreads()) == 1, what="one worker")
        assert client.gather(held) == before
        cluster.scale(2)
        until(lambda: len(client.nthreads()) == 2, what="the second worker, again")


def test_to_begin_is_not_to_be_idle(prefix: str) -> None:
    made: list[Any] = []
    # In a thread: what it must not do is hang.
    ticket = {**TICKET, "idle_timeout": "1ms"}
    begin = threading.Thread(
        target=lambda: made.append(LocalCluster.connect(ticket, workers=2)), daemon=True
    )
    begin.start()
    begin.join(MINUTE)
    assert made, "a cluster whose idle timeout is short was not made"
    until(lambda: made[0].status.name == "closed", what="the idle cluster's end")
