"""The conformance suites as an adapter's author runs them: by the command, in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from greyhub.conformance.result import Outcome, Report

SLOTS = ("spawner", "auth", "cluster", "homespace", "data")


def command(*arguments: object) -> list[str]:
    """``greyhub conform`` with these arguments. Limits follow ``GREYHUB_TEST_PATIENCE``."""
    return [sys.executable, "-m", "greyhub.conformance", *map(str, arguments)]


def conform(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run it, and wait for its end."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False)


def judged(
    directory: Path, target: str, *arguments: object
) -> tuple[subprocess.CompletedProcess[str], Report]:
    """The verdict of a suite, and its report."""
    path = directory / "report.json"
    done = conform("run", target, "--quiet", "--seed", 1, "--json", path, *arguments)
    assert path.exists(), done.stdout + done.stderr
    return done, Report.loads(path.read_text())


def broken(report: Report) -> list[tuple[str, str]]:
    """The clauses that were not kept, each with how; that something took long is none of them."""
    wrong = report.having(Outcome.FAILED, Outcome.WARNED, Outcome.UNPROVEN, Outcome.ERROR)
    return [(each.id, each.message) for each in wrong if not each.slow]


def kills(slot: str, *clauses: str) -> None:
    """Every mutant of these clauses fails by its own."""
    only = [word for name in clauses for word in ("--only", name)]
    done = conform("mutants", f"tests.conformance.{slot}", "--alone", *only)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mutants killed" in done.stdout
