"""CLUSTER-034: what passes through."""

from __future__ import annotations

import time

from greyhub.conformance.cluster.case import SOON, ClusterCase
from greyhub.conformance.contract import SHOULD, clause


@clause("CLUSTER-034", SHOULD, budget=40)
def much_passes_through(case: ClusterCase) -> None:
    """200 MB of results and 10 000 tasks pass.

    Proxies and gateways in between have limits for bodies, buffers and time.
    """
    cluster = case.make(1)
    client = case.client(cluster)
    case.until(lambda: case.workers(client), SOON, "there was no worker")

    def results() -> int:
        futures = client.map(lambda n: bytes([n]) * 50_000_000, range(4), pure=False)
        return sum(len(each) for each in (future.result(20) for future in futures))

    began = time.monotonic()
    size = case.call("200 MB of results", results)
    case.saw(f"200 MB in {time.monotonic() - began:.1f} s")
    case.require(size == 200_000_000, f"{size} bytes came of 200 MB")

    def tasks() -> int:
        return int(client.submit(sum, client.map(abs, range(10_000), pure=False)).result(30))

    began = time.monotonic()
    total = case.call("10 000 tasks", tasks)
    case.saw(f"10 000 tasks in {time.monotonic() - began:.1f} s")
    case.require(total == 49_995_000, f"10 000 tasks gave {total}")
