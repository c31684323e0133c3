"""greyhub beside plain JupyterHub: boot, spawn, twenty at once, memory, import.

    python -m bench.platform [--rounds 10] [--many 20]

Both run the same proxy, the same kind of authenticator and a process for each
server, in the same environment, in turn. Figures are medians; ratios are
greyhub's by plain JupyterHub's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from greyhub import proxy
from tests.support.hubs import Hub
from tests.support.waiting import until

HEAVY = {"jupyterhub", "distributed", "dask", "intake", "fsspec", "numpy", "traitlets"}


def plain(directory: Path) -> Hub:
    """JupyterHub as its documentation has it, with a local process for each user."""
    config = f"""\
    c.JupyterHub.ip = "127.0.0.1"
    c.JupyterHub.spawner_class = "simple"
    c.JupyterHub.authenticator_class = "dummy"
    c.Spawner.cmd = [{sys.executable!r}, "-m", "jupyterhub.singleuser", "--allow-root"]
    c.SimpleLocalProcessSpawner.home_dir_template = {str(directory / "{username}")!r}
    c.Spawner.pre_spawn_hook = lambda spawner: __import__("os").makedirs(
        {str(directory)!r} + "/" + spawner.user.name, exist_ok=True)
    c.ConfigurableHTTPProxy.command = {proxy.command(proxy.find_node())!r}
    """
    return Hub(directory, config, compose="")


def greyhub(directory: Path) -> Hub:
    """The local flavour as it comes."""
    return Hub(directory)


KINDS = {"plain": plain, "greyhub": greyhub}


@contextmanager
def fresh(kind: str) -> Iterator[tuple[Hub, float]]:
    """A hub that has just booted, and the seconds that it took."""
    directory = Path(tempfile.mkdtemp(prefix=f"bench-{kind}-"))
    directory.chmod(0o755)
    hub = KINDS[kind](directory)
    try:
        began = time.perf_counter()
        hub.start()
        yield hub, time.perf_counter() - began
    finally:
        hub.end()
        shutil.rmtree(directory, ignore_errors=True)


def cpu(hub: Hub) -> float:
    """The processor seconds that the hub's own process has used."""
    assert hub.process is not None
    times = psutil.Process(hub.process.pid).cpu_times()
    return float(times.user + times.system)


def memory(pid: int) -> float:
    """The memory that a process has to itself and its share of the rest, in MB."""
    return float(psutil.Process(pid).memory_full_info().pss) / 1e6


def servers(hub: Hub) -> list[int]:
    """The processes of this hub's servers."""
    found = []
    for process in psutil.process_iter():
        try:
            environ, command = process.environ(), " ".join(process.cmdline())
        except psutil.Error:
            continue
        url = f"http://127.0.0.1:{hub.hub_port}/hub/api"
        if environ.get("JUPYTERHUB_API_URL") == url and "singleuser" in command:
            found.append(process.pid)
    return found


def spawn(hub: Hub, user: str) -> float:
    """Seconds from the request to a server that is ready."""
    began = time.perf_counter()
    hub.spawn(user)
    return time.perf_counter() - began


def at_once(hub: Hub, many: int) -> tuple[int, float]:
    """How many of ``many`` servers asked for at once are ready, and after how long."""
    users = [f"many{number}" for number in range(many)]
    for user in users:
        hub.api("POST", f"users/{user}")
    began = time.perf_counter()

    def ask(user: str) -> None:
        requests.post(
            f"{hub.url}hub/api/users/{user}/server",
            headers={"Authorization": f"token {hub.token}"},
            timeout=600,
        )

    with ThreadPoolExecutor(many) as pool:
        list(pool.map(ask, users))

    def settled() -> bool:
        models = [hub.server(user) for user in users]
        return all(model is None or model["ready"] for model in models)

    until(settled, 600, "the servers")
    ready = sum(hub.server(user) is not None for user in users)
    return ready, time.perf_counter() - began


def measure(kind: str, rounds: int, many: int) -> dict[str, float]:
    """One hub's figures."""
    with fresh(kind) as (hub, boot):
        figures = {"boot, s": boot, "boot, CPU s": cpu(hub)}
        spawns = []
        for number in range(rounds):
            spawns.append(spawn(hub, f"user{number}"))
            if not number:
                assert hub.process is not None
                figures["hub, MB"] = memory(hub.process.pid)
                figures["server, MB"] = memory(servers(hub)[0])
            hub.stop_server(f"user{number}")
        figures["spawn, s"] = statistics.median(spawns)
        figures["spawn, worst s"] = max(spawns)
        ready, seconds = at_once(hub, many)
        figures[f"{many} at once: ready"] = ready
        figures[f"{many} at once, s"] = seconds
    return figures


def boots(rounds: int) -> dict[str, list[float]]:
    """Boot times, in turn."""
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            with fresh(kind) as (_, boot):
                found[kind].append(boot)
    return found


def import_cost() -> dict[str, Any]:
    """Milliseconds of ``import greyhub``, and the heavy modules that it brings."""
    code = (
        "import sys, time; began = time.perf_counter(); import greyhub; "
        "print((time.perf_counter() - began) * 1e3, *sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    listed = [run.stdout.split() for run in runs]
    return {
        "import greyhub, ms": statistics.median(float(words[0]) for words in listed),
        "heavy modules": sorted(HEAVY & set(listed[0])),
    }


def main() -> None:
    """Measure both, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--many", type=int, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = {kind: measure(kind, arguments.rounds, arguments.many) for kind in KINDS}
    for kind, times in boots(5).items():
        results[kind]["boot, s"] = statistics.median(times)
    print(f"on {len(os.sched_getaffinity(0))} processors, in one run\n")
    print(f"{'':<22}{'plain':>9}{'greyhub':>9}{'ratio':>8}")
    for figure, value in results["greyhub"].items():
        other = results["plain"][figure]
        print(f"{figure:<22}{other:>9.2f}{value:>9.2f}{value / other if other else 0:>8.2f}")
    for name, cost in import_cost().items():
        print(f"{name:<22}{'':>9}{cost if isinstance(cost, list) else round(cost, 1)!s:>9}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
