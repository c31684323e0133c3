"""Homes that people really have: a second machine has all of each, and the store plain files.

In sizes for every day; ``python -m tests.homespace.sync.large`` has the full ones.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable

import pytest

from greyhub.homespace.sync.keys import plain
from tests.homespace.filesystem.places import Place
from tests.homespace.sync.homes import KINDS, busy, differences, seen
from tests.homespace.sync.machines import Machine
from tests.support.waiting import until

Machines = Callable[..., Machine]
SIZES = {"small": 300, "wide": 300, "deep": 100, "conda": 30, "large": 40}


def the_second_has_it_all(machine: Machines, store: Place, kind: str, size: int) -> None:
    one = machine("one", store).start()
    KINDS[kind](os.fsencode(one.home), size)
    one.sync()
    before = seen(one.home)
    assert one.stop() == 0
    two = machine("two", store).start()
    assert not differences(before, seen(two.home))
    two.sync()
    assert not differences(before, seen(one.home))
    names = {os.fsdecode(path) for path, it in before.items() if it[0] == "file" and it[-1] == path}
    if store.name == "webdav":  # whose servers cut names
        names = {name for name in names if not {"?", ";"} & {*name}}
    assert {name for name in names if plain(name)} <= store.names()


@pytest.mark.slow
@pytest.mark.parametrize("kind", SIZES)
def test_a_second_machine_has_it_all(machine: Machines, s3: Place, kind: str) -> None:
    the_second_has_it_all(machine, s3, kind, SIZES[kind])


def test_every_name_is_kept(machine: Machines, anywhere: Place) -> None:
    the_second_has_it_all(machine, anywhere, "hostile", 1)


def test_what_changes_while_it_is_sent_is_whole_in_the_end(machine: Machines, s3: Place) -> None:
    one = machine("one", s3).start()
    with busy(one.home):
        # It is all in the store while none of it rests.
        names = {f"busy/{name}" for name in ("app.log", "array.dat", "work.db")}
        until(lambda: names <= s3.names(), what="what changes in the store")
        two = machine("two", s3).start()
        lines = (two.home / "busy/app.log").read_text().splitlines()
        assert lines == [f"line {number}" for number in range(len(lines))]
        database = sqlite3.connect(two.home / "busy/work.db")
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        assert database.execute("select count(*) from t").fetchone()
        database.close()
        two.stop()
    one.sync()
    before = seen(one.home)
    three = machine("three", s3).start()
    assert not differences(before, seen(three.home))
    assert not [path for path in before if b"conflict" in path]
