"""Broker, proxy or hub killed wherever the broker waits: no cluster is lost, and none is left."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from dask_gateway.auth import JupyterHubAuth
from distributed.client import FutureCancelledError

from greyhub.clusters.gateway_cluster import BrokerCluster
from greyhub.errors import ClusterError
from tests.kubernetes import awaits
from tests.kubernetes.brokers import Broker, none_left, parts, slowly
from tests.support.clusters import Cluster
from tests.support.processes import command, ended, started_in
from tests.support.waiting import MINUTE, until

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.kubernetes]

Start = Callable[..., Broker]

SHARE = int(os.environ.get("GREYHUB_TESTS_KILLS", "4"))
"""Of so many places, a kill is at one; at 1, it is at all."""

ALL_THE_TIME = ("_keep_proxy", "_end_with_hub", "_end_unknown_parts", "check_", "cleanup_db")
OTHERS = ("watching._run", "routes_handler", "owners.watch", "workqueue.get", "app.main")
"""Where a broker waits that has nothing to do."""

RESULTS = [n * n for n in range(2)]


class Victims:
    """The processes of one hub, where its broker waits, and the kills there.

    Parameters
    ----------
    made : Broker
        A broker that was started with `awaits` in a directory.
    cluster : Cluster
        Where its clusters are.
    notes : Path
        The directory.
    """

    def __init__(self, made: Broker, cluster: Cluster, notes: Path) -> None:
        self.made, self.hub, self.cluster, self.notes = made, made.hub, cluster, notes
        self.outcomes: Counter[str] = Counter()

    def proxy(self) -> psutil.Process:
        """The proxy of the clusters."""
        found: list[psutil.Process] = []

        def there() -> bool:
            found[:] = [
                each
                for each in started_in(self.hub.directory)
                if any("dask-gateway-proxy" in word for word in command(each))
                and not ended(each.pid)
            ]
            return len(found) == 1

        until(there, what="one proxy")
        return found[0]

    def places(self) -> set[str]:
        """Where the broker has waited for something of a cluster's."""
        seen = set((self.notes / "places").read_text().splitlines())
        return {each for each in seen if not any(word in each for word in (*ALL_THE_TIME, *OTHERS))}

    @contextmanager
    def killed(self, who: str, place: str) -> Iterator[Callable[[], bool]]:
        """Within the block, somebody is killed at a place, and it is restarted if it is the hub."""
        (self.notes / "fired").unlink(missing_ok=True)
        hub = self.hub.process
        assert hub is not None
        pids = {"broker": [0], "hub": [hub.pid]}.get(who) or [self.proxy().pid]
        new = self.notes / "new"
        new.write_text(json.dumps({"place": place, "pids": pids}))
        new.rename(self.notes / "armed")
        over = threading.Event()

        def restart() -> None:
            while not over.is_set():
                if hub.poll() is not None:
                    self.hub.stop(signal.SIGKILL)
                    self.hub.start()
                    return
                over.wait(0.05)

        watching = threading.Thread(target=restart)
        watching.start()
        try:
            yield (self.notes / "fired").exists
        finally:
            (self.notes / "armed").unlink(missing_ok=True)
            over.set()
            watching.join()

    def patiently(self, what: Callable[[], Any]) -> Any:
        """As a user: once more, if it is said in words that it did not work."""
        for left in (2, 1, 0):
            try:
                return what()
            except (ClusterError, OSError) as error:  # Dask's own is an OSError
                assert left, "it was told three times that it does not work"
                self.outcomes[f"{type(error).__name__}, and asked again"] += 1
                until(self.made.answers, what="the broker")
        return None

    def life(self, down: bool = True) -> Iterator[str]:
        """A cluster starts, is scaled and ends: yields what it did, and what it has computed."""
        where = {"address": self.made.url, "proxy_address": self.made.proxy, "broker": True}
        auth = JupyterHubAuth(self.made.token())
        made = self.patiently(lambda: BrokerCluster(auth=auth, **where))
        with made, made.get_client() as client:
            yield "start"
            futures = client.map(slowly, range(2))
            self.patiently(lambda: made.scale(1))
            self.patiently(lambda: client.wait_for_workers(1, timeout=2 * MINUTE))
            yield "scale"
            self.computed(client, futures)
            del futures  # a worker does not end that has what somebody wants
            if down:
                self.patiently(lambda: made.scale(0))
                until(lambda: len(parts(self.cluster, made.name)) == 2, 120, "the worker's end")
                yield "down"
                self.patiently(lambda: made.scale(1))
                self.computed(client, client.map(slowly, range(2), pure=False))
        yield "stop"

    def computed(self, client: Any, futures: list[Any]) -> None:
        """The results; where the connection was lost, and it says so, they are asked for again."""
        for _ in range(3):
            try:
                assert client.gather(futures) == RESULTS
            except FutureCancelledError as error:
                told = str(error)
            else:
                return
            assert "lost the connection to the scheduler" in told
            self.outcomes["results were asked for again"] += 1
            self.patiently(lambda: client.wait_for_workers(1, timeout=2 * MINUTE))
            futures = client.map(slowly, range(2), pure=False)
        raise AssertionError("it was cancelled three times")


@pytest.fixture
def victims(
    broker: Start, cluster: Cluster, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Victims:
    notes = directory / "awaits"
    notes.mkdir()
    (notes / "sitecustomize.py").write_text(Path(awaits.__file__).read_text())
    monkeypatch.setenv("PYTHONPATH", str(notes))
    return Victims(broker(), cluster, notes)


@pytest.mark.timeout(60 * MINUTE)
@pytest.mark.parametrize(
    ("who", "by_proxy"),
    [("broker", False), ("hub", False), ("proxy", False), ("proxy", True)],
    ids=["broker", "hub", "proxy", "proxy-under-connections"],
)
def test_killed_wherever_the_broker_waits(
    victims: Victims, cluster: Cluster, who: str, by_proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients whose connection goes by the proxy lose it with the proxy, and are told."""

    async def reachable(address: str) -> bool:
        return not by_proxy

    monkeypatch.setattr("greyhub.clusters.gateway_reports.reachable", reachable)
    steps: dict[str, str] = {}
    for step in victims.life():
        none_left(cluster) if step == "stop" else None
        steps |= dict.fromkeys(victims.places() - set(steps), step)
    assert set(steps.values()) == {"start", "scale", "down", "stop"}
    reached, began = Counter[str](), time.monotonic()
    for place, step in sorted(steps.items())[::SHARE]:
        with victims.killed(who, place) as fired:
            for _ in victims.life(down=step == "down"):
                pass
            until(victims.made.answers, what="the broker")
            none_left(cluster)
            reached[step if fired() else "not reached"] += 1
        print(f"{time.monotonic() - began:.0f} s: {step}: {place}", flush=True)
    print(f"{who} {len(steps)} places {dict(reached)} {dict(victims.outcomes)}", flush=True)
    assert reached["not reached"] <= reached.total() / 2
    if not by_proxy:
        assert not victims.outcomes["results were asked for again"]
    if who != "hub" and not by_proxy:
        assert not victims.outcomes
