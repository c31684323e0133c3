"""``hub.clusters()``: what it shows, and clusters that only this process has."""

from __future__ import annotations

from datetime import datetime

import pytest

from greyhub.clusters import ClusterAdapter, listing
from greyhub.clusters.listing import ClusterEntry, ClusterList
from greyhub.clusters.local import LocalCluster
from tests.support.waiting import MINUTE

TICKET = {
    "max_workers": 1,
    "threads_per_worker": 1,
    "memory_limit": "1 GiB",
    "idle_timeout": "20 minutes",
}
FIRST = ClusterEntry("a1", "running", datetime(2026, 11, 30, 7, 5, 59), 2, "")
SECOND = ClusterEntry("b<2>", "pending", datetime(2026, 11, 30, 8, 0), None, "gpu")
UNKNOWN = ClusterEntry("c3", "running")


def test_it_is_a_table_the_oldest_first() -> None:
    assert repr(ClusterList([SECOND, FIRST])).splitlines() == [
        "name  status   started           workers  server",
        "a1    running  2026-11-30 07:05  2        (default)",
        "b<2>  pending  2026-11-30 08:00           gpu",
    ]
    shown = ClusterList([SECOND])._repr_html_()
    assert "<td style='text-align:left'>b&lt;2&gt;</td>" in shown
    assert repr(ClusterList()) == ClusterList()._repr_html_() == "no clusters"


def test_an_entry_is_got_by_its_number_or_its_name() -> None:
    found = ClusterList([FIRST, SECOND, UNKNOWN])
    assert len(found) == 3
    assert found[0] is UNKNOWN
    assert found["b<2>"] is SECOND
    assert list(found[1:]) == [FIRST, SECOND]
    with pytest.raises(KeyError, match="no cluster of yours is named 'd4'"):
        found["d4"]


@pytest.mark.processes
def test_the_local_slot_lists_those_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVER_NAME", "gpu")
    with LocalCluster.connect(TICKET, workers=1, processes=False, name="mine") as cluster:
        entry = LocalCluster.clusters(TICKET)["mine"]
        assert (entry.status, entry.server) == ("running", "gpu")
        assert entry.started is not None
        with entry.join() as joined, joined.get_client() as client:
            assert client.submit(pow, 2, 3).result(timeout=MINUTE) == 8
            assert repr(joined) == repr(cluster)
        assert entry.name in [each.name for each in LocalCluster.clusters(TICKET)]
        entry.end()
        assert cluster.status.name == "closed"  # type: ignore[attr-defined]
        assert entry.name not in [each.name for each in LocalCluster.clusters(TICKET)]


@pytest.mark.processes
def test_of_another_class_those_that_it_keeps_are_listed() -> None:
    ticket = {"class": "distributed:LocalCluster", "options": {}}
    options = {"n_workers": 0, "dashboard_address": None, "processes": False}
    cluster = ClusterAdapter.connect(ticket, **options)
    name = cluster.name  # type: ignore[attr-defined]
    joined = ClusterAdapter.clusters(ticket)[name].join()
    joined.shutdown()
    assert name not in [each.name for each in ClusterAdapter.clusters(ticket)]


def test_a_class_that_keeps_none_has_none() -> None:
    ticket = {"class": f"{listing.__name__}:JoinedCluster", "options": {}}
    assert len(ClusterAdapter.clusters(ticket)) == 0
