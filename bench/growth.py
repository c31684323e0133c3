"""How the process that keeps a home grows with the home: processor, memory, time.

    python -m bench.growth [--files 1000 10000 100000] [--rest 30]

Homes of small files, a hundred in a folder, that are in step with a store: a directory of
the same disk, so that what is measured is the process and not a store's client. A start without
changes, the time until one change is in the store and what that costs, what a look at the whole
store costs, and rest. All of it takes some minutes, with TMPDIR on a disk in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil

from greyhub.homespace.sync.client import status, sync
from greyhub.homespace.sync.identity import recognise
from greyhub.homespace.sync.records import Base, Entry, describe
from greyhub.homespace.sync.scan import walk
from greyhub.homespace.sync.source import Content
from greyhub.homespace.sync.stores.local import LocalStore
from greyhub.homespace.sync.working_copy import WorkingCopy
from greyhub.ticket import Ticket, variable


def furnish(top: Path, files: int) -> None:
    """A home and its store, in step, without sending each file."""
    (top / "store").mkdir(parents=True)
    for place in ("home", "store"):
        for number in range(files):
            file = top / place / f"d{number // 10_000}/e{number // 100}/file {number}.txt"
            if not number % 100:
                file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{number}")
    store = LocalStore(str(top / "store"))
    copy = WorkingCopy(top / "home", store, top / "state")
    context = copy.context
    recognise(context)
    with context.journal.changing():
        for path, seen in walk(context.tree.home, copy.rules):
            base = Base(seen)  # type: ignore[arg-type]
            if base.seen.kind == "file" and (found := store.find(path)):
                base = replace(base, tag=found.tag, size=found.size, digest=Content(b"").seal())
                entry = describe(base)
            else:
                entry = Entry(base.seen.kind, mode=base.seen.mode, target=base.seen.target)
            base = replace(base, stamp=context.journal.announce(path, entry).stamp)
            context.journal.rebase(path, base)
    context.manifest.publish()
    context.manifest.fold(many=0)
    copy.close()


@contextmanager
def keeper(top: Path, *, anew: bool = False) -> Iterator[psutil.Process]:
    """The process that keeps a home; or as it begins anew when it has rested for a while."""
    data = {"path": str(top / "home"), "state": str(top / "state"), "rest": 3600}
    ticket = Ticket("homespace", "", {**data, "url": f"file://{top / 'store'}"})
    environ = {**os.environ, variable("homespace"): ticket.dumps()}
    command = [sys.executable, "-m", "greyhub.homespace.sync"]
    if anew:
        command.append(json.dumps({"ready": True, "look": time.monotonic() + 3600}))
    process = subprocess.Popen(command, env=environ)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def wait(done: Callable[[], object], pause: float = 0.01) -> float:
    """Until something is true; how long that took."""
    began = time.perf_counter()
    while not done():
        time.sleep(pause)
        assert time.perf_counter() - began < 600
    return time.perf_counter() - began


def used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _rests(process: psutil.Process) -> bool:
    """Whether it has been through all that it does at its start."""
    before = used(process)
    time.sleep(3)
    return used(process) - before < 0.1


def phase(state: Path) -> str:
    with suppress(Exception):
        return str(status(state)["phase"])
    return ""


def measure(top: Path, rest: float) -> dict[str, float]:
    """One home, already in step."""
    state = top / "state"
    found: dict[str, float] = {}
    with keeper(top) as process:
        found["start, s"] = wait(lambda: phase(state) == "keeping")
        wait(lambda: status(state)["saved"])
        found["start, CPU s"] = used(process)
        found["busy, MB"] = process.memory_full_info().pss / 1e6
        took, before = [], used(process)
        for number in range(10):
            (top / f"home/d0/e0/new {number}").write_text("x")
            took.append(wait((top / f"store/d0/e0/new {number}").exists))
        wait(lambda: status(state)["saved"])
        found["one change, s"] = statistics.median(took)
        found["one change, CPU s"] = (used(process) - before) / 10
        before = used(process)
        sync(state, 600)
        found["sweep and look, CPU s"] = used(process) - before
    with keeper(top, anew=True) as process:
        wait(lambda: phase(state) == "keeping")
        wait(lambda: _rests(process), 0)
        before, began = used(process), time.perf_counter()
        time.sleep(rest)
        spent = used(process) - before
        found["rest, % of a core"] = 100 * spent / (time.perf_counter() - began)
        found["rest, MB"] = process.memory_full_info().pss / 1e6
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rest", type=float, default=30)
    given = parser.parse_args()
    rows: dict[str, list[float]] = {}
    for files in given.files:
        top = Path(tempfile.mkdtemp(prefix="bench-growth-"))
        try:
            furnish(top, files)
            for name, value in measure(top, given.rest).items():
                rows.setdefault(name, []).append(value)
        finally:
            shutil.rmtree(top, ignore_errors=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    print("| files |", " | ".join(f"{files:,}" for files in given.files), "|")
    print("|---" * (len(given.files) + 1) + "|")
    for name, values in rows.items():
        print(f"| {name} |", " | ".join(f"{value:.3g}" for value in values), "|")


if __name__ == "__main__":
    main()
