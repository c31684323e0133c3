"""Dask clusters by greyhub's broker, beside dask-gateway's own backends and LocalCluster.

    python -m bench.clusters [--rounds 5] [--workers 20] [--shuffle 2]
    python -m bench.clusters --kinds dask-gateway-kubernetes kubernetes

All in one run, in turn, each scheduler and worker with one thread in the same interpreter: seconds
to a cluster that takes work, from there to the first worker, to all workers, to the end of a
rechunk that moves ``--shuffle`` GB between four workers, and of 200 MB to and from the client.
A hub or a gateway runs for the whole run. Pods need what `bench.cluster_pods` says.
Ratios are greyhub's by the other's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bench import cluster_kinds, cluster_pods
from bench.cluster_kinds import Kind

HERE = {
    "LocalCluster": cluster_kinds.bare,
    "local": cluster_kinds.local,
    "dask-gateway": cluster_kinds.gateway,
    "broker": cluster_kinds.broker,
}
PODS = {"dask-gateway-kubernetes": cluster_pods.gateway, "kubernetes": cluster_pods.broker}
KINDS = HERE | PODS


def cpu(client: Any) -> dict[str, float]:
    """The processor seconds of each worker so far."""
    used: dict[str, float] = client.run(time.process_time)
    return used


def measure(kind: Kind, workers: int, shuffle: float) -> dict[str, float]:
    """The figures of one cluster."""
    import dask.array as da
    import numpy as np

    found = {}
    began = time.perf_counter()
    with closing(kind.make()) as cluster, closing(cluster.get_client()) as client:
        found["a cluster, s"] = time.perf_counter() - began
        cluster.scale(1)
        client.wait_for_workers(1)
        found["its first worker, s"] = time.perf_counter() - began - found["a cluster, s"]
        began = time.perf_counter()
        cluster.scale(4)
        client.wait_for_workers(4)
        data = np.zeros(200_000_000, np.uint8)
        began = time.perf_counter()
        future = client.scatter(data)
        assert future.result().nbytes == data.nbytes
        found["200 MB to and fro, s"] = time.perf_counter() - began
        del future
        if shuffle:
            side = int((shuffle * 1e9 / 8) ** 0.5)
            one = da.random.random((side, side), chunks=(side, side // 16))
            used, began = sum(cpu(client).values()), time.perf_counter()
            one.rechunk((side // 16, side)).sum().compute(scheduler=client)
            found[f"a rechunk of {shuffle:g} GB, s"] = time.perf_counter() - began
            found["its workers, CPU s"] = sum(cpu(client).values()) - used
        if workers > 4:
            old, began = cpu(client), time.perf_counter()
            cluster.scale(workers)
            client.wait_for_workers(workers)
            found[f"{workers - 4} workers more, s"] = time.perf_counter() - began
            new = [used for address, used in cpu(client).items() if address not in old]
            found["each of them, CPU s"] = sum(new) / len(new)
        began = time.perf_counter()
    kind.gone(cluster)
    found["its end, s"] = time.perf_counter() - began
    return found


def main() -> None:
    """Measure all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--shuffle", type=float, default=2.0)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(HERE))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results: dict[str, list[dict[str, float]]] = {kind: [] for kind in arguments.kinds}
    with ExitStack() as ends:
        kinds = {name: ends.enter_context(KINDS[name]()) for name in arguments.kinds}
        for _ in range(arguments.rounds):
            for name, kind in kinds.items():
                results[name].append(measure(kind, arguments.workers, arguments.shuffle))
                print(name, results[name][-1], file=sys.stderr)
                if arguments.json:
                    arguments.json.write_text(json.dumps(results, indent=1))
    print(f"on {len(os.sched_getaffinity(0))} processors, medians of {arguments.rounds} in turn\n")
    print(f"{'':<26}" + "".join(f"{name:>25}" for name in results))
    for figure in next(iter(results.values()))[0]:
        medians = [statistics.median(each[figure] for each in runs) for runs in results.values()]
        print(f"{figure:<26}" + "".join(f"{value:>25.2f}" for value in medians))


if __name__ == "__main__":
    main()
