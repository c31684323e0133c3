"""Dask clusters by greyhub's broker, beside dask-gateway's own local backend and LocalCluster.

    python -m bench.clusters [--rounds 5] [--workers 20] [--shuffle 2]

All in one run, in turn, each scheduler and worker with one thread in the same interpreter: seconds
to a cluster that takes work, from there to the first worker, to all workers, to the end of a
rechunk that moves ``--shuffle`` GB between four workers, and of 200 MB to and from the client.
Ratios are greyhub's by the other's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.conformance.strangers.gateway import Gateway
from tests.support.hubs import Hub
from tests.support.ports import free_port

Make = Callable[[], Any]


@contextmanager
def bare() -> Iterator[Make]:
    """distributed's LocalCluster."""
    from distributed import LocalCluster

    yield lambda: LocalCluster(
        n_workers=0, threads_per_worker=1, security=True, dashboard_address="127.0.0.1:0"
    )


@contextmanager
def local() -> Iterator[Make]:
    """greyhub's local slot: a scheduler in the notebook's own process."""
    from greyhub.clusters.limited import LimitedCluster

    yield lambda: LimitedCluster(
        max_workers=64, n_workers=0, idle_timeout="1 hour", threads_per_worker=1
    )


@contextmanager
def gateway() -> Iterator[Make]:
    """dask-gateway's UnsafeLocalBackend."""
    from dask_gateway import BasicAuth, GatewayCluster

    os.environ["GATEWAY_MOST"] = "64"
    server = Gateway()
    try:
        yield lambda: GatewayCluster(server.url, auth=BasicAuth("ada"))
    finally:
        server.close()


@contextmanager
def broker() -> Iterator[Make]:
    """greyhub's broker, with a hub in front of it."""
    from greyhub.session import connect

    directory = Path(tempfile.mkdtemp(prefix="bench-clusters-"))
    directory.chmod(0o755)
    hub = Hub(
        directory,
        f"""\
        c.GreyHub.cluster = "local-broker"
        c.LocalBrokerCluster.port = {free_port()}
        c.LocalBrokerCluster.api_port = {free_port()}
        c.LocalBrokerCluster.dashboard_port = {free_port()}
        c.LocalBrokerCluster.user_limits = {{}}
        """,
    )
    try:
        hub.start()
        hub.spawn("ada")
        environ = hub.environment("ada")
        os.environ |= {name: environ[name] for name in environ if name.startswith("JUPYTERHUB_")}
        session = connect(environ)
        yield lambda: session.cluster()
    finally:
        hub.end()
        shutil.rmtree(directory, ignore_errors=True)


KINDS = {"LocalCluster": bare, "local": local, "dask-gateway": gateway, "broker": broker}


def measure(make: Make, workers: int, shuffle: float) -> dict[str, float]:
    """The figures of one cluster."""
    import dask.array as da
    import numpy as np

    found = {}
    began = time.perf_counter()
    with closing(make()) as cluster, closing(cluster.get_client()) as client:
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
            began = time.perf_counter()
            one.rechunk((side // 16, side)).sum().compute(scheduler=client)
            found[f"a rechunk of {shuffle:g} GB, s"] = time.perf_counter() - began
        if workers > 4:
            began = time.perf_counter()
            cluster.scale(workers)
            client.wait_for_workers(workers)
            found[f"{workers - 4} workers more, s"] = time.perf_counter() - began
        began = time.perf_counter()
    found["its end, s"] = time.perf_counter() - began
    return found


def main() -> None:
    """Measure all, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--shuffle", type=float, default=2.0)
    parser.add_argument("--only", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results: dict[str, list[dict[str, float]]] = {kind: [] for kind in arguments.only}
    for _ in range(arguments.rounds):
        for kind in arguments.only:
            with KINDS[kind]() as make:
                results[kind].append(measure(make, arguments.workers, arguments.shuffle))
            print(kind, results[kind][-1], file=sys.stderr)
    print(f"on {len(os.sched_getaffinity(0))} processors, medians of {arguments.rounds} in turn\n")
    print(f"{'':<26}" + "".join(f"{kind:>14}" for kind in results))
    for figure in next(iter(results.values()))[0]:
        medians = [statistics.median(each[figure] for each in runs) for runs in results.values()]
        print(f"{figure:<26}" + "".join(f"{value:>14.2f}" for value in medians))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
