"""Arguments with which no worker would start: one line says so, before anything is started."""

from __future__ import annotations

from typing import Any

import pytest

import greyhub
from greyhub.clusters.local import LocalCluster
from greyhub.spawners.local import LocalSpawnerAdapter
from greyhub.ticket import Ticket, variable

LIMITS = {
    "max_workers": 2,
    "threads_per_worker": 1,
    "memory_limit": "1 GiB",
    "idle_timeout": "5 minutes",
}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"workers": "2"}, "workers='2': a number of workers is a whole number"),
        ({"workers": 1.5}, "workers=1.5: a number of workers is a whole number"),
        ({"workers": True}, "workers=True: a number of workers is a whole number"),
        ({"workers": -1}, "no fewer than 0"),
        ({"n_workers": 2}, "takes no n_workers: write workers= in its place"),
        ({"wrkers": 2}, "takes no wrkers; did you mean 'workers'"),
        ({"memory": "2 GiB"}, "takes no memory"),
        ({"idle_timeout": "1 hour"}, "the platform sets it: c.LocalCluster.idle_timeout"),
        ({"max_workers": 9}, "the platform sets it: c.LocalCluster.max_workers"),
        ({"memory_limit": "2 gigs"}, "memory_limit: '2 gigs' is no size"),
        ({"memory_limit": "-2 GiB"}, "memory_limit: '-2 GiB' is no size"),
        ({"memory_limit": -1}, "memory_limit is less than a byte"),
        ({"threads_per_worker": 0}, "a worker has no fewer than 1"),
    ],
    ids=str,
)
def test_what_no_worker_would_start_with_is_refused(
    arguments: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slot, cls, data in (
        ("spawner", LocalSpawnerAdapter, {"user": "ada"}),
        ("cluster", LocalCluster, LIMITS),
    ):
        ticket = Ticket(slot, f"{cls.__module__}:{cls.__name__}", data, slot)
        monkeypatch.setenv(variable(slot), ticket.dumps())
    with pytest.raises((TypeError, ValueError)) as refused:
        greyhub.connect().cluster(**arguments)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "arguments",
    [{"memory_limit": each} for each in ("auto", "0", "0.5", "2GiB", 2e9, 0, None)]
    + [{"processes": False}, {"silence_logs": False}, {"resources": {"GPU": 1}}, {"nthreads": 1}],
    ids=str,
)
def test_what_dask_takes_is_handed_on(
    arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from greyhub.clusters import limited

    monkeypatch.setattr(limited, "LimitedCluster", dict)
    made: Any = LocalCluster.connect(LIMITS, **arguments)
    assert arguments.items() <= made.items()
