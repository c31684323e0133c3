"""How long the conformance suites take, all five side by side.

    python -m bench.suites [--rounds 3]

Each judges the adapter on which it is tried: nothing leaves this machine. It prints
one JSON document: seconds for all five, and for each its own, its processor's time,
and its slowest clause.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from greyhub.conformance.result import Report

SUITES = {
    "spawner": "Full",
    "cluster": "Toy",
    "auth": "CarefulSuite",
    "homespace": "Toy",
    "data": "Toy",
}


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = [measure() for _ in range(parser.parse_args().rounds)]
    print(json.dumps(middle(rounds), indent=1))


def measure() -> dict[str, Any]:
    """One round: what it took in all, and each."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        running = {slot: start(slot, Path(folder)) for slot in SUITES}
        spent = {}
        for slot, process in running.items():
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                sys.exit(f"{slot} does not pass: its figures mean nothing")
            spent[slot] = usage.ru_utime + usage.ru_stime
        took = time.monotonic() - began
        found = {slot: figures(Path(folder) / slot, spent[slot]) for slot in SUITES}
    return {"all": {"seconds": took, "cpu": sum(spent.values())}, **found}


def start(slot: str, folder: Path) -> subprocess.Popen[bytes]:
    """A suite's run, by the command that anyone would use."""
    target = f"tests.conformance.{slot}.suites:{SUITES[slot]}"
    command = [sys.executable, "-m", "greyhub.conformance", "run", target, "--quiet"]
    command += ["--json", str(folder / slot)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def figures(path: Path, spent: float) -> dict[str, Any]:
    """What a report says of its run."""
    report = Report.loads(path.read_text("utf-8"))
    slowest = max(report.results, key=lambda each: each.seconds)
    return {
        "seconds": report.seconds,
        "cpu": spent,
        "clauses": len(report.results),
        "slowest": slowest.seconds,
        "which": slowest.id,
    }


def middle(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of all rounds; of words and counts, the last."""
    found: dict[str, Any] = dict(rounds[-1])
    for key, value in found.items():
        each = [one[key] for one in rounds]
        if isinstance(value, dict):
            found[key] = middle(each)
        elif isinstance(value, float):
            found[key] = round(statistics.median(each), 2)
    return found


if __name__ == "__main__":
    main()
