"""What is run again, and what is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

SAMPLE = """
import ctypes
from pathlib import Path

import pytest

@pytest.fixture(scope="module")
def shared():
    return []

@pytest.fixture
def count(shared):
    runs = Path(__file__).with_suffix(".runs")
    runs.write_text(str(int(runs.read_text()) + 1 if runs.exists() else 1))
    return int(runs.read_text())

def test_it(count, shared):
    if count <= {stalls}:
        ctypes.PyDLL(None).sleep(4)  # no other thread gets a turn
    assert count == {passes}
"""


def test_a_test_is_run_again_if_the_machine_stood_still(tmp_path: Path) -> None:
    ran = run(tmp_path, stalls=1, passes=2)
    assert (ran.returncode, runs(tmp_path)) == (0, 2)
    assert "1 passed" in ran.stdout
    assert "test_it - the machine stood still for 4 s" in ran.stdout


def test_a_test_that_fails_by_itself_is_not(tmp_path: Path) -> None:
    ran = run(tmp_path, stalls=0, passes=2)
    assert (ran.returncode, runs(tmp_path)) == (1, 1)
    assert "1 failed" in ran.stdout
    assert "stood still" not in ran.stdout


def test_it_does_not_go_on_for_ever(tmp_path: Path) -> None:
    ran = run(tmp_path, stalls=9, passes=0)
    assert (ran.returncode, runs(tmp_path)) == (1, 3)
    assert "1 failed" in ran.stdout


def run(directory: Path, **how: int) -> subprocess.CompletedProcess[str]:
    (directory / "test_sample.py").write_text(SAMPLE.format(**how))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.stalls"]
    return subprocess.run(
        [*command, str(directory)], cwd=directory, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip


def runs(directory: Path) -> int:
    return int((directory / "test_sample.runs").read_text())
