"""greyhub's own adapters keep their contracts, and a broken one of each slot does not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from greyhub.conformance.result import Report
from tests.support.conformance import SLOTS, broken, command, kills
from tests.support.waiting import MINUTE

pytestmark = pytest.mark.processes

Runs = dict[str, subprocess.Popen[str]]

MUTANT = {
    "spawner": "SPAWNER-031",
    "auth": "AUTH-001",
    "cluster": "CLUSTER-015",
    "homespace": "HOME-022",
    "data": "DATA-020",
}
"""A clause of each slot whose mutants are tried in every run; ``make mutants`` tries all."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Runs, Path]]:
    """The suites of all slots, side by side: each waits more than it works."""
    folder = tmp_path_factory.mktemp("reports")
    running: Runs = {}
    for slot in SLOTS:
        target = f"tests.conformance.{slot}.suites:Local"
        how = ("--certify", "--quiet", "--seed", 1, "--json", folder / slot)
        running[slot] = subprocess.Popen(
            command("run", target, *how),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    yield running, folder
    for each in running.values():
        each.kill()
        each.wait()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("slot", SLOTS)
def test_the_adapter_is_certified(slot: str, runs: tuple[Runs, Path]) -> None:
    running, folder = runs
    told, _ = running[slot].communicate(timeout=5 * MINUTE)
    report = Report.loads((folder / slot).read_text())
    assert broken(report) == []
    assert running[slot].returncode == 0, told
    assert report.certified


@pytest.mark.parametrize("slot", SLOTS)
def test_a_broken_one_fails_its_clause(slot: str) -> None:
    kills(slot, MUTANT[slot])
