"""Homes that people really have, in the sizes that they really have.

    python -m tests.homespace.sync.large --server VERSITYGW [--only large] [--part 0.1]

Each kind is made on one machine, saved, and brought down on a second one, which must have all of
it: content, modes, times, links, and which names are one file. Then the first one starts again.
Prints a row for each, with the seconds and the processor seconds of the process that keeps the
home, and the most memory that it took. Without ``--server``, on moto, which takes very long.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from greyhub.errors import HomeError
from tests.homespace.filesystem import conftest as around
from tests.homespace.sync.homes import KINDS, busy, differences, seen
from tests.homespace.sync.machines import Machine

SIZES = {"small": 50_000, "wide": 10_000, "deep": 100, "hostile": 10, "conda": 1_500}
SIZES |= {"large": 5 * 1024, "busy": 60}
AT_MOST = 3_600.0


def keeping(machine: Machine) -> bool:
    with suppress(HomeError):
        state = machine.status()
        return bool(state["complete"] and state["saved"])
    return False


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + AT_MOST
    while not done():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.2)


def used(machine: Machine) -> tuple[float, float]:
    """Processor seconds, and the most memory in MB, of what keeps the home."""
    import psutil

    process = psutil.Process(machine.supervisors[-1].process.pid)
    times = process.cpu_times()
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return times.user + times.system, peak / 1000


def start(machine: Machine) -> str:
    """Start a server, wait for all of its home; what that took, as cells of a table."""
    began = time.perf_counter()
    machine.start(wait=False)
    machine.supervisors[-1].wait()
    visible = time.perf_counter() - began
    until(lambda: keeping(machine))
    took = time.perf_counter() - began
    cpu, peak = used(machine)
    return f"{visible:.1f} | {took:.1f} ({cpu:.1f}) | {peak:.0f}"


def prove(kind: str, size: int, directory: Path) -> bool:
    """One home, there and back; whether all of it came."""
    with ExitStack() as stack:
        place = around._s3(directory, stack)
        one, two = Machine(directory / "one", place), Machine(directory / "two", place)
        stack.callback(one.end)
        stack.callback(two.end)
        one.start()
        if kind == "busy":
            with busy(one.home):
                time.sleep(size)
        else:
            KINDS[kind](os.fsencode(one.home), size)
        began = time.perf_counter()
        one.hub_home.sync(AT_MOST)
        took = time.perf_counter() - began
        cpu, peak = used(one)
        one.stop()
        before = seen(one.home)
        down, again = start(two), start(one)
        wrong = differences(before, seen(two.home)) + differences(before, seen(one.home))
        for line in wrong[:20]:
            print(line, file=sys.stderr)
        same = "all" if not wrong else f"{len(wrong)} DIFFER"
        cells = [kind, f"{len(before):,}", f"{took:.1f} ({cpu:.1f}) | {peak:.0f}", down, again]
        print(f"| {' | '.join([*cells, same])} |", flush=True)
        return not wrong


def main() -> int:
    """All kinds, or those that are asked for; 0 if all of it came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="", help="versitygw's program")
    parser.add_argument("--only", action="append", choices=[*SIZES], help="may be repeated")
    parser.add_argument("--part", type=float, default=1.0, help="of the full sizes")
    given = parser.parse_args()
    os.environ |= {"ADA_S3_KEY": around.S3_KEY, "ADA_S3_SECRET": around.S3_SECRET}
    os.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "GREYHUB_TESTS_S3": given.server}
    print("| home | paths | saved, s (CPU s) | MB | visible, s | down, s (CPU s) | MB"
          " | again: visible, s | s (CPU s) | MB | came |")  # fmt: skip
    right = True
    for kind in given.only or SIZES:
        directory = Path(tempfile.mkdtemp(prefix="homes-"))
        try:
            right &= prove(kind, max(1, int(SIZES[kind] * given.part)), directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
