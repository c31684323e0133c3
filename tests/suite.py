"""``make test``: all tests on the newest JupyterHub, those of the hub on the oldest.

The last line counts what ran and what was skipped in both runs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "tests/results"

OLDEST = ["jupyterhub~=5.3.0"]
"""The oldest JupyterHub that greyhub promises to run on."""

HUB_TESTS = [
    "tests/core",
    "tests/auth/test_local.py",
    "tests/checks",
    "tests/cli",
    "tests/spawners/test_restart.py",
    "tests/spawners/test_starting.py",
]
"""What asks a real hub, and so is run on the oldest JupyterHub, too."""


def main() -> int:
    """Run both, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    status = run(Path(sys.executable), "newest", ["tests"])
    status |= run(oldest(arguments.venv), "oldest", HUB_TESTS)
    counts = sum((count(path) for path in RESULTS.glob("*.xml")), Counter())
    print(
        f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped",
        flush=True,
    )
    return status


def run(python: Path, name: str, paths: list[str]) -> int:
    """Run pytest under an interpreter; its exit status."""
    result = RESULTS / f"{name}.xml"
    result.unlink(missing_ok=True)
    print(f"--- tests on the {name} JupyterHub", flush=True)
    return subprocess.run(
        [
            str(python),
            "-m",
            "pytest",
            "-q",
            f"--junitxml={result}",
            "-p",
            "no:cacheprovider",
            *paths,
        ],
        cwd=ROOT,
        check=False,
    ).returncode


def oldest(main_venv: Path) -> Path:
    """The interpreter of an environment with the oldest JupyterHub, made once."""
    path = main_venv.with_name(main_venv.name + "-hub5")
    python = path / "bin/python"
    ready = path / ".ready"
    if not ready.exists() or ready.stat().st_mtime < (ROOT / "pyproject.toml").stat().st_mtime:
        print(f"--- making {path.name} with {OLDEST[0]}", flush=True)
        venv.create(path, with_pip=True, symlinks=True)
        install = [str(python), "-m", "pip", "install", "--quiet"]
        constraint = ["--constraint", str(ROOT / "tests/constraints.txt")]
        # In two steps: in one, pip would search for very long.
        subprocess.run([*install, *constraint, "--editable", ".[test]"], cwd=ROOT, check=True)
        subprocess.run([*install, *OLDEST], cwd=ROOT, check=True)
        ready.touch()
    return python


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
