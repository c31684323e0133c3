"""The threads of a working copy: where they run, and what comes after what."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from greyhub.homespace.sync.workers import Lane, Workers


def processors(workers: Workers, lane: Lane) -> set[int]:
    """Where the work of a lane may run."""
    workers.start(lane, "where", lambda: os.sched_getaffinity(0))
    found: list[tuple[str, set[int], BaseException | None]] = []
    while not found:
        found = workers.take(1)
    return found[0][1]


def test_what_is_small_shares_a_processor_and_what_is_large_has_all() -> None:
    every = os.sched_getaffinity(0)
    workers = Workers()
    with workers.together():
        mine = os.sched_getaffinity(0)
        assert len(mine) == 1
        assert processors(workers, "small") == mine
        assert processors(workers, "large") == processors(workers, "disk") == every
    assert os.sched_getaffinity(0) == every


def test_beside_other_work_all_is_spread() -> None:
    every = os.sched_getaffinity(0)
    workers = Workers()
    for spread in (False, True, False):
        workers.spread(spread)
        for _ in range(30):  # whichever thread has it
            assert (processors(workers, "small") == every) == (spread or len(every) == 1)
        with workers.together():
            assert (os.sched_getaffinity(0) == every) == (spread or len(every) == 1)


AUTOGROUP = Path("/proc/self/autogroup")
GIVES_WAY = """
from pathlib import Path
from greyhub.homespace.sync.syscalls import give_way
for nice in (7, 0):
    give_way(nice)
    print(Path("/proc/self/autogroup").read_text().strip())
"""


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="processors are not shared by sessions here")
def test_a_session_of_its_own_comes_after_others() -> None:
    """There a thread's priority counts only among those of its own session."""

    def told(own: bool) -> list[str]:
        command = [sys.executable, "-c", GIVES_WAY]
        return subprocess.check_output(command, start_new_session=own, text=True).splitlines()

    # Sessions that began with the system's first process, or before this was on, are in no group.
    mine = AUTOGROUP.read_text().strip()
    assert told(own=False) == [mine, mine]
    grouped = told(own=True)
    if grouped == ["", ""]:
        pytest.skip("processors are not shared by sessions here")
    assert [line.split()[-1] for line in grouped] == ["7", "0"]
