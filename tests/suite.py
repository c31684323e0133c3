"""``make test``, ``make walks``, ``make test-all``: two files at a time where there are processors.

``make test`` leaves out what is marked `slow`. ``make walks`` is the whole platform on a cluster,
one walk after the other. ``make test-all`` leaves nothing out, and asks the oldest JupyterHub, too.
The last lines say what was run again because it
failed, and count.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "tests/results"

ON_OLDEST = [
    "tests/core",
    "tests/auth/test_local.py",
    "tests/checks",
    "tests/cli",
    "tests/e2e/test_profiles.py",
    "tests/homespace/sync/test_hub.py",
    "tests/spawners/test_restart.py",
    "tests/spawners/test_starting.py",
]
"""What asks a real hub."""

WALKS = ["tests/kubernetes/test_walk.py", "tests/kubernetes/test_chart.py"]
"""What shows the platform on a cluster as a whole."""

AT_ONCE = min(2, len(os.sched_getaffinity(0)))
"""Files that are run at one time: tests wait for processes more than they compute."""


@dataclass
class Run:
    """One pytest process, and what came of it."""

    name: str
    python: Path
    arguments: list[str]
    status: int = 0
    reruns: list[str] = field(default_factory=list)

    @property
    def result(self) -> Path:
        """JUnit's XML."""
        return RESULTS / f"{self.name}.xml"

    def go(self) -> None:
        """Run it, show what it says, and keep the names of what it ran again."""
        began = time.monotonic()
        command = [str(self.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        if AT_ONCE > 1:
            command += ["-n", str(AT_ONCE), "--dist", "loadfile"]
        process = subprocess.Popen(
            [*command, "--durations=10", f"--junitxml={self.result}", *self.arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "GREYHUB_TEST_PATIENCE": str(PATIENCE)},
        )
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("RERUN "):
                self.reruns.append(f"{line.split()[1]} ({self.name})")
        self.status = abs(process.wait())
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        print(f"--- {self.name}, {minutes}:{seconds:02d} min\n", flush=True)

    def counts(self) -> Iterator[tuple[str, int]]:
        """How many tests ended how."""
        if not self.result.exists():
            return
        for suite in ET.parse(self.result).getroot().iter("testsuite"):
            total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            yield "passed", total - skipped - failed
            yield "failed", failed
            yield "skipped", skipped


def main() -> int:
    """Run what was asked for, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="also what is slow")
    parser.add_argument("--walks", action="store_true", help="the walks on a cluster, alone")
    parser.add_argument("--oldest", type=Path, help="a Python with the oldest JupyterHub")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for old in RESULTS.glob("*.xml"):
        old.unlink()
    chosen = [] if arguments.all else ["-m", "not slow"]
    runs = [Run("newest", Path(sys.executable), [*chosen, "tests"])]
    if arguments.walks:
        runs = [Run("walks", Path(sys.executable), ["-n", "0", *WALKS])]
    if arguments.oldest:
        runs.append(Run("oldest", arguments.oldest, [*chosen, *ON_OLDEST]))
    for run in runs:
        run.go()
    for name in (name for run in runs for name in run.reruns):
        print(f"run again: {name}")
    total: Counter[str] = Counter()
    for run in runs:
        for outcome, number in run.counts():
            total[outcome] += number
    total["run again"] = sum(len(run.reruns) for run in runs)
    print(
        ", ".join(f"{total[each]} {each}" for each in ("passed", "failed", "skipped", "run again"))
    )
    return max(run.status for run in runs)


if __name__ == "__main__":
    sys.exit(main())
