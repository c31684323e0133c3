"""Many servers on instances of one Azure ML workspace: requests to Azure, and what the hub costs.

    python -m bench.azureml [--servers 500] [--at-once 50] [--minutes 5]

The workspace is the simulator's, with the requests that Azure allows; its machines are tasks that
do what agents do (`bench.azureml.machines`). Hub and proxy are real. The same hub runs once
more with a request for each server at each poll, as Azure's client library has it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
from jupyterhub import __version__

from bench.azureml.machines import LightMachine, serve
from bench.platform import cpu
from bench.users import Users
from greyhub.conformance.testkit.azureml import Simulator
from greyhub.conformance.testkit.azureml.state import Times
from tests.azureml.hubs import hub_on
from tests.support.hubs import Hub

SIZE = "Standard_DS1_v2"

COMMON = f"""
c.AzureML.poll_interval = 10
c.Spawner.poll_interval = 30
c.AzureMLSpawner.machine_size = {SIZE!r}
c.JupyterHub.concurrent_spawn_limit = {{at_once}}
c.JupyterHub.tornado_settings = {{{{"slow_spawn_timeout": 0, "slow_stop_timeout": 600}}}}
c.Spawner.start_timeout = 900
c.Spawner.http_timeout = 300
c.Spawner.consecutive_failure_limit = 0
"""

KINDS = {
    "one request each": """
from greyhub.azureml.workspace import Workspace
from greyhub.spawners.azureml_spawner import AzureMLSpawner

async def _poll(self, _poll=AzureMLSpawner.poll):
    if self._instance and not self._starting:
        await self.azure.compute(self._instance)
    return await _poll(self)

AzureMLSpawner.poll = _poll
""",
    "greyhub": "",
}


@contextmanager
def running(kind: str, given: argparse.Namespace) -> Iterator[tuple[Hub, Simulator]]:
    """A hub and its workspace."""
    with ExitStack() as ends:
        directory = Path(tempfile.mkdtemp(prefix="bench-azureml-"))
        ends.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o755)
        times = Times(create=given.starts_in, start=given.starts_in, stop=given.ends_in)
        azure = ends.enter_context(Simulator(times=times, machine=LightMachine))
        azure.cloud.quota["standardDSv2Family"] = given.servers + 1
        hub = hub_on(azure, directory, COMMON.format(at_once=given.at_once) + KINDS[kind])
        ends.callback(hub.end)
        yield hub.start(), azure


class Asked:
    """The requests to Azure since the last look."""

    def __init__(self, azure: Simulator) -> None:
        self.azure, self.seen = azure, 0

    def look(self) -> Counter[str]:
        every = self.azure.requests
        new, self.seen = every[self.seen :], len(every)
        found = Counter("reads" if each.method == "GET" else "changes" for each in new)
        found["throttled"] = sum(each.status == 429 for each in new)
        return found


async def measure(hub: Hub, azure: Simulator, given: argparse.Namespace) -> dict[str, float]:
    """One hub's figures."""
    assert hub.process
    asked, process, servers = Asked(azure), psutil.Process(hub.process.pid), given.servers
    runner = await serve(__version__)
    async with Users(hub, servers, given.at_once) as users:
        asked.look()
        before, seconds = cpu(hub), await users.each(users.start)
        used, starting = cpu(hub) - before, asked.look()
        for name, said in list(users.failed.items())[:3]:
            print(f"{name}: {said}", file=sys.stderr)
        failed = len(users.failed)
        users.failed.clear()
        before, began = cpu(hub), time.perf_counter()
        await asyncio.sleep(60 * given.minutes)
        minutes = (time.perf_counter() - began) / 60
        resting, idle = asked.look(), cpu(hub) - before
        figures = {
            "starts that failed": failed,
            "starts a minute": 60 * (servers - failed) / seconds,
            "hub, CPU s per start": used / servers,
            "reads per start": starting["reads"] / servers,
            "changes per start": starting["changes"] / servers,
            "reads a minute, all running": resting["reads"] / minutes,
            "changes a minute, all running": resting["changes"] / minutes,
            "hub, % of a processor, all running": 100 * idle / (60 * minutes),
            "hub, MB": process.memory_info().rss / 1e6,
        }
        before, seconds = cpu(hub), await users.each(users.stop)
        ending = asked.look()
        figures |= {
            "stops that failed": len(users.failed),
            "stops a minute": 60 * servers / seconds,
            "hub, CPU s per stop": (cpu(hub) - before) / servers,
            "reads per stop": ending["reads"] / servers,
            "requests throttled": sum(each["throttled"] for each in (starting, resting, ending)),
        }
    await runner.cleanup()
    return figures


def main() -> None:
    """Measure both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5, help="of all servers at rest")
    parser.add_argument("--starts-in", type=float, default=10, help="seconds of a machine's start")
    parser.add_argument("--ends-in", type=float, default=5, help="seconds of a machine's stop")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results: dict[str, Any] = {}
    for kind in given.kinds:
        with running(kind, given) as (hub, azure):
            results[kind] = asyncio.run(measure(hub, azure, given))
        if given.json:
            given.json.write_text(json.dumps(results, indent=1))
    print(f"{given.servers} servers, {given.at_once} at once, {os.cpu_count()} processors;")
    print(f"a machine starts in {given.starts_in:g} s and stops in {given.ends_in:g} s\n")
    print(f"{'':<36}" + "".join(f"{kind:>18}" for kind in results) + f"{'ratio':>8}")
    for figure in next(iter(results.values())):
        values = [result[figure] for result in results.values()]
        ratio = f"{values[-1] / values[0]:>8.2f}" if len(values) == 2 and values[0] else ""
        print(f"{figure:<36}" + "".join(f"{value:>18.3g}" for value in values) + ratio)


if __name__ == "__main__":
    main()
