"""Many servers on Kubernetes: greyhub's spawner beside KubeSpawner in plain JupyterHub.

    python -m bench.kubernetes [--servers 3000] [--at-once 100] [--starts-in 5] [--ends-in 2]

Needs a cluster that KUBECONFIG names, with the right to make nodes and namespaces, and
GREYHUB_TESTS_HOST, an address of this machine. The API server is real, and so are hub and
proxy; nodes are simulated (`bench.kubernetes.nodes`), so that a server costs no container. Users
ask for servers as browsers do, follow the progress to its end, and stop them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.kubernetes.nodes import SCHEDULER
from bench.platform import cpu
from bench.users import Users
from greyhub import proxy
from tests.support.clusters import HOST, Cluster
from tests.support.hubs import Hub
from tests.support.ports import free_port
from tests.support.waiting import until

PODS_PER_NODE = 100

COMMON = """
import prometheus_client
from kubernetes_asyncio.client import rest

_asked = prometheus_client.Counter("bench_api_requests", "Requests to the API server", ["what"])
_request = rest.RESTClientObject.request

async def _counted(self, method, url, *args, **kwargs):
    watch = ("watch", True) in (kwargs.get("query_params") or ())
    _asked.labels("WATCH" if watch else method).inc()
    return await _request(self, method, url, *args, **kwargs)

rest.RESTClientObject.request = _counted

c.JupyterHub.hub_ip = {host!r}
c.JupyterHub.hub_connect_url = "http://{host}:" + str(c.JupyterHub.hub_port)
c.JupyterHub.authenticate_prometheus = False
c.JupyterHub.concurrent_spawn_limit = {at_once}
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0, "slow_stop_timeout": 600}}
c.Spawner.start_timeout = 600
c.Spawner.http_timeout = 300
c.Spawner.consecutive_failure_limit = 0
c.KubeSpawner.namespace = {namespace!r}
c.KubeSpawner.image = "bench/none:1"
c.KubeSpawner.scheduler_name = {scheduler!r}
c.KubeSpawner.port = {port}
"""

KINDS = {
    "plain": """
c.JupyterHub.ip = "127.0.0.1"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.ConfigurableHTTPProxy.command = {proxy!r}
""",
    "greyhub": """
c.GreyHub.spawner = "kubernetes"
c.GreyHub.homespace = None
c.GreyHub.cluster = None
c.GreyHub.data = None
""",
}


@contextmanager
def running(kind: str, given: argparse.Namespace) -> Iterator[Hub]:
    """A hub whose pods run on simulated nodes of a namespace of their own."""
    cluster, port = Cluster(f"bench-{kind}-{secrets.token_hex(3)}"), free_port()
    with ExitStack() as ends:
        directory = Path(tempfile.mkdtemp(prefix=f"bench-{kind}-"))
        ends.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o755)
        config = (COMMON + KINDS[kind]).format(
            host=HOST,
            at_once=given.at_once,
            namespace=cluster.namespace,
            scheduler=SCHEDULER,
            port=port,
            proxy=proxy.command(proxy.find_node()),
        )
        ending = {} if kind == "greyhub" else {"compose": ""}
        hub = Hub(directory, config, **ending)
        count = -(-given.servers // PODS_PER_NODE)
        command = [sys.executable, "-m", "bench.kubernetes.nodes", cluster.namespace, str(count)]
        command += [str(each) for each in (port, given.starts_in, given.ends_in)]
        cluster.kubectl("create", "namespace", cluster.namespace)
        nodes = ends.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        ends.callback(nodes.terminate)
        ends.callback(ended, cluster)  # its pods end while there are nodes
        assert nodes.stdout
        assert nodes.stdout.readline() == "ready\n"
        ends.callback(hub.end)
        yield hub.start()


def ended(cluster: Cluster) -> None:
    """Delete a namespace, and wait until its pods are gone."""
    cluster.kubectl("delete", "namespace", cluster.namespace, "--wait=false")
    until(lambda: not cluster.get("pods"), 600, "the end of all pods", every=1)


async def api_requests(users: Users) -> Counter[str]:
    """The hub's requests to the API server so far, by method."""
    async with users.session.get("hub/metrics") as answer:
        lines = (await answer.text()).splitlines()
    mark = "bench_api_requests_total{what="
    found = (line.removeprefix(mark).split("} ") for line in lines if line.startswith(mark))
    return Counter({what.strip('"'): int(float(number)) for what, number in found})


async def measure(
    hub: Hub, kind: str, given: argparse.Namespace
) -> dict[str, float | dict[str, float]]:
    """One hub's figures."""
    assert hub.process
    process, servers = psutil.Process(hub.process.pid), given.servers
    async with Users(hub, servers, given.at_once) as users:
        before, asked = cpu(hub), await api_requests(users)
        command = given.beside.format(kind=kind, pid=process.pid) or "true"
        other = await asyncio.create_subprocess_shell(command, start_new_session=True)
        seconds = await users.each(users.start)
        used, asked = cpu(hub) - before, await api_requests(users) - asked
        if other.returncode is None:
            os.killpg(other.pid, signal.SIGINT)
        await other.wait()
        failed = dict(users.failed)
        for name, said in list(failed.items())[:3]:
            print(f"{kind}: {name}: {said}", file=sys.stderr)
        figures: dict[str, float | dict[str, float]] = {
            "failed": len(failed),
            "starts a minute": 60 * (servers - len(failed)) / seconds,
            "hub, CPU s per start": used / servers,
            "API requests per start": asked.total() / servers,
            "hub, MB": process.memory_info().rss / 1e6,
        }
        users.failed.clear()
        before, then = cpu(hub), await api_requests(users)
        seconds = await users.each(users.stop)
        ended = await api_requests(users) - then
        return figures | {
            "stops that failed": len(users.failed),
            "stops a minute": 60 * servers / seconds,
            "hub, CPU s per stop": (cpu(hub) - before) / servers,
            "API requests per stop": ended.total() / servers,
            "requests by method": {
                f"{phase} {what}": number / servers
                for phase, counted in (("start", asked), ("stop", ended))
                for what, number in sorted(counted.items())
            },
        }


def main() -> None:
    """Measure both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=3000)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--starts-in", type=float, default=5, help="seconds of a pod's start")
    parser.add_argument("--ends-in", type=float, default=2, help="seconds of a pod's end")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--beside",
        default="",
        help="a command to run while servers start, such as a profiler: {pid} is the hub's",
    )
    given = parser.parse_args()
    results: dict[str, Any] = {}
    for kind in given.kinds:
        with running(kind, given) as hub:
            results[kind] = asyncio.run(measure(hub, kind, given))
        if given.json:
            given.json.write_text(json.dumps(results, indent=1))
    print(
        f"{given.servers} servers, {given.at_once} at once, on {os.cpu_count()} processors;",
        end=" ",
    )
    print(f"a pod starts in {given.starts_in:g} s and ends in {given.ends_in:g} s\n")
    print(f"{'':<24}" + "".join(f"{kind:>10}" for kind in results) + f"{'ratio':>8}")
    for figure in next(iter(results.values())):
        values = [result[figure] for result in results.values()]
        if isinstance(values[0], dict):
            continue
        ratio = f"{values[-1] / values[0]:>8.2f}" if len(values) == 2 and values[0] else ""
        print(f"{figure:<24}" + "".join(f"{value:>10.3g}" for value in values) + ratio)


if __name__ == "__main__":
    main()
