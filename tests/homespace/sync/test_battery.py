"""Everything that tools do in a home, in a working copy, and then on another machine."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable

import pytest

from tests.homespace.filesystem.places import Place
from tests.homespace.sync.battery import CHECKS, OPERATIONS, Act, whole
from tests.homespace.sync.machines import Machine, tree

Machines = Callable[..., Machine]


@pytest.mark.timeout(600)
def test_all_of_it_works_here_and_is_seen_there(machine: Machines, anywhere: Place) -> None:
    one = machine("one", anywhere).start()
    assert failures(one, OPERATIONS) == []
    one.sync()  # a slow store takes longer than a server's end may
    assert one.stop() == 0
    before = tree(one.home)
    two = machine("two", anywhere).start()
    assert tree(two.home) == before
    assert failures(two, CHECKS) == []


def failures(machine: Machine, acts: dict[str, Act]) -> list[str]:
    found = []
    for name, act in acts.items():
        place = machine.home / name
        place.mkdir(exist_ok=True)
        try:
            act(place)
        except Exception:
            found.append(f"{name}: {traceback.format_exc()}")
    return found


def test_a_database_in_use_is_saved_as_of_its_last_commit(
    machine: Machines, anywhere: Place
) -> None:
    one = machine("one", anywhere).start()
    database = sqlite3.connect(one.home / "wal.db", isolation_level=None)
    database.execute("pragma journal_mode = wal")
    database.execute("create table t (n integer)")
    for number in range(100):
        database.execute("insert into t values (?)", (number,))
    one.sync()
    two = machine("two", anywhere).start()
    whole(two.home / "wal.db", 100)
    database.close()
