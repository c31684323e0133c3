"""``make test``: all tests on the newest JupyterHub, those of the hub on the oldest.

The last line counts what ran and what was skipped in all runs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "tests/results"

HUB_TESTS = [
    "tests/core",
    "tests/auth/test_local.py",
    "tests/checks",
    "tests/cli",
    "tests/homespace/sync/test_hub.py",
    "tests/spawners/test_restart.py",
    "tests/spawners/test_starting.py",
]
"""What asks a real hub, and so is run on the oldest JupyterHub, too."""


LONG = ["tests/conformance", "tests/docs"]
"""What waits more than it computes: it is run beside the others."""


def main() -> int:
    """Run all, two at a time, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--oldest", type=Path, help="the Python with the oldest JupyterHub")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for old in RESULTS.glob("*.xml"):
        old.unlink()
    newest = Path(sys.executable)
    with ThreadPoolExecutor(2) as lanes:
        runs = [
            lanes.submit(run, newest, "conformance", LONG),
            lanes.submit(run, newest, "newest", ["tests", *(f"--ignore={each}" for each in LONG)]),
            lanes.submit(run, arguments.oldest, "oldest", HUB_TESTS),
        ]
        status = max(each.result() for each in runs)
    counts = sum((count(path) for path in RESULTS.glob("*.xml")), Counter())
    print(
        f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped",
        flush=True,
    )
    return status


def run(interpreter: Path, name: str, paths: list[str]) -> int:
    """Run pytest under an interpreter, and print what it said; its exit status."""
    began = time.monotonic()
    result = RESULTS / f"{name}.xml"
    command = [str(interpreter), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "--durations=10", f"--junitxml={result}", *paths],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    print(f"--- {name}, {minutes}:{seconds:02d} min\n{ran.stdout}", flush=True)
    return abs(ran.returncode)


def count(path: Path) -> Counter[str]:
    """What a run's result says."""
    counts: Counter[str] = Counter()
    for suite in ET.parse(path).getroot().iter("testsuite"):
        total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        counts.update(passed=total - skipped - failed, failed=failed, skipped=skipped)
    return counts


if __name__ == "__main__":
    sys.exit(main())
