"""How long a saved file takes to its store, and what it costs to keep a home.

    python -m bench.saving [--saves 300] [--store s3|azure]

A working copy on this machine, its store (moto or Azurite) too. A save is over
when the store has answered; the times are those that the store's side sees.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psutil

from tests.homespace.filesystem import conftest as around
from tests.homespace.sync.machines import Machine
from tests.support.faults import FaultyProxy
from tests.support.waiting import until


class Clock(FaultyProxy):
    """Forwards every request, and notes when each object was there."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.stored: dict[str, float] = {}
        super().__init__(*arguments, **options)

    def forward(self, handler: Any) -> None:
        super().forward(handler)
        if handler.command == "PUT":
            name = unquote(handler.path.partition("?")[0]).rpartition("/")[2]
            self.stored[name] = time.monotonic()


def main() -> None:
    """Measure, and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=300)
    parser.add_argument("--store", choices=("s3", "azure"), default="s3")
    parser.add_argument("--idle", type=float, default=30.0, help="seconds to watch it rest")
    arguments = parser.parse_args()
    os.environ.update(ADA_S3_KEY="AKIA-ADA", ADA_S3_SECRET=around.S3_SECRET)
    top = Path(tempfile.mkdtemp(prefix="greyhub-saving-"))
    try:
        with ExitStack() as stack:
            print(json.dumps(measure(arguments, top, stack), indent=1))
    finally:
        shutil.rmtree(top, ignore_errors=True)


def measure(arguments: argparse.Namespace, top: Path, stack: ExitStack) -> dict[str, Any]:
    """All figures."""
    (top / "store").mkdir()
    place = getattr(around, f"_{arguments.store}")(top / "store", stack)
    plain = place.proxied()
    plain.__exit__()
    clock = stack.enter_context(Clock(plain.upstream.geturl(), through(place, plain)))
    machine = Machine(top / "machine", place, options=clock.options).start()
    stack.callback(machine.end)
    result = {
        "store": arguments.store,
        "one after the other": one_by_one(machine, clock, arguments.saves),
        "100 at once": at_once(machine, clock, 100),
    }
    machine.sync()
    return result | {"idle": idle(machine, arguments.idle)}


def through(place: Any, proxy: FaultyProxy) -> Any:
    """The store's options by the URL of its endpoint, made from those by way of a proxy."""

    def options(url: str) -> Any:
        if place.name == "s3":
            return {**proxy.options, "endpoint_url": url}
        [(_, reference)] = proxy.options.items()
        name = f"{reference['env']}_CLOCK"
        os.environ[name] = os.environ[reference["env"]].replace(proxy.url, url)
        return {"connection_string": {"env": name}}

    return options


def one_by_one(machine: Machine, clock: Clock, count: int) -> dict[str, float]:
    """Saves as people make them: some a second, small, some of them the same file again."""
    chance, took = random.Random(1), []
    for number in range(count):
        name = f"note-{number}.txt"
        saved = time.monotonic()
        (machine.home / name).write_bytes(chance.randbytes(chance.randint(10, 50_000)))
        until(lambda name=name: name in clock.stored)
        took.append(clock.stored[name] - saved)
        time.sleep(chance.random() * 0.3)
    return figures(took)


def at_once(machine: Machine, clock: Clock, count: int) -> dict[str, float]:
    """Many files at one moment, as a checkout makes them."""
    names = [f"many-{number}.txt" for number in range(count)]
    saved = {}
    for name in names:
        saved[name] = time.monotonic()
        (machine.home / name).write_bytes(b"x" * 4096)
    until(lambda: all(name in clock.stored for name in names))
    return figures([clock.stored[name] - saved[name] for name in names])


def figures(took: list[float]) -> dict[str, float]:
    """Seconds: the median and the 99th percentile."""
    hundredths = statistics.quantiles(took, n=100, method="inclusive")
    return {
        "median": round(statistics.median(took), 3),
        "p99": round(hundredths[98], 3),
        "longest": round(max(took), 3),
    }


def idle(machine: Machine, seconds: float) -> dict[str, float]:
    """The memory of the process that keeps the home, and its part of a core, at rest."""
    process = psutil.Process(machine.keepers[0].process.pid)
    time.sleep(25)  # until it has begun anew
    began = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    spent = sum(process.cpu_times()[:2]) - began
    memory = process.memory_full_info()
    return {
        "percent of a core": round(100 * spent / seconds, 2),
        "MB": round(memory.rss / 1e6, 1),
        "MB of its own": round(memory.uss / 1e6, 1),
    }


if __name__ == "__main__":
    main()
