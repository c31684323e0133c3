"""CLUSTER-034: large results and many tasks."""

from __future__ import annotations

import time
from typing import Any

from greyhub.conformance.cluster.case import ClusterCase
from greyhub.conformance.contract import SHOULD, clause


@clause("CLUSTER-034", SHOULD, budget=60)
def much_passes_through(case: ClusterCase) -> None:
    """200 MB of results and 10 000 tasks pass.

    Proxies and gateways in between have limits for bodies, buffers and time. Dask
    itself takes milliseconds for each task: a suite that is not ``thorough`` gets
    one result of 50 MB, and sends 300 tasks.
    """
    _cluster, client = case.working(1)

    suite: Any = case.suite
    sizes, number = ([100_000_000] * 2, 10_000) if suite.thorough else ([50_000_000], 300)

    def results() -> int:
        make = lambda size: bytes(size)  # noqa: E731
        futures = client.map(make, sizes, pure=False)
        return sum(len(each) for each in (future.result(20 * case.patience) for future in futures))

    began = time.monotonic()
    size = case.call("large results", results)
    case.saw(f"{size / 1e6:g} MB in {time.monotonic() - began:.1f} s")
    case.require(size == sum(sizes), f"{size} bytes came of {sum(sizes)}")

    def tasks() -> int:
        return sum(client.gather(client.map(abs, range(number), pure=False)))

    began = time.monotonic()
    total = case.call(f"{number} tasks", tasks)
    case.saw(f"{number} tasks in {time.monotonic() - began:.1f} s")
    case.require(total == number * (number - 1) // 2, f"{number} tasks gave {total}")
