"""The policy of a working copy, over all combinations of the three views."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from greyhub.homespace.sync.plan import (
    TABLE,
    UNKNOWN,
    Action,
    Change,
    decide,
    local_change,
    remote_change,
)
from greyhub.homespace.sync.records import Base, Entry, Remote, Seen, Stamp

FILE = Seen("file", mode=0o644, size=3, mtime=10, ctime=10, inode=1)
EDITED = replace(FILE, mtime=20, ctime=20)
FOLDER = Seen("folder", mode=0o755)
LINK = Seen("link", target="there")
LOCALS = [None, UNKNOWN, FILE, EDITED, FOLDER, replace(FOLDER, mode=0o700), LINK]

STAMP = Stamp(5, "me")
BASES = [
    None,
    Base(FILE, tag="t1", digest="d1", stamp=STAMP, size=3),
    Base(FOLDER, stamp=STAMP),
    Base(LINK, stamp=STAMP),
]


def entry(kind="file", order=5, writer="me", **more):
    return Entry(kind, stamp=Stamp(order, writer), mode=0o644, mtime=10, **more)


REMOTES = [
    None,
    UNKNOWN,
    Remote("file", 3, "t1", entry=entry(tag="t1")),
    Remote("file", 3, "t1"),
    Remote("file", 3, "t2", entry=entry(order=6, writer="other", tag="t2", over=5)),
    Remote("file", 3, "t2", entry=entry(order=6, writer="other", tag="t2", over=1)),
    Remote("file", 3, "t2"),
    Remote("file", 3, "t1", entry=replace(entry(order=7, tag="t1"), mode=0o755)),
    Remote("folder", entry=replace(entry("folder"), mode=0o755)),
    Remote("folder", entry=replace(entry("folder", order=8), mode=0o700)),
    Remote("link", entry=entry("link", target="there")),
    Remote("link", entry=entry("link", order=8, target="elsewhere")),
]
TOMBS = [None, Entry("gone", stamp=Stamp(9, "other"), over=5), Entry("gone", over=1)]

EVERY = list(itertools.product(LOCALS, BASES, REMOTES, TOMBS))


def test_every_pair_of_changes_has_an_action():
    assert set(TABLE) == set(itertools.product(Change, Change)) - {
        (here, there)
        for here, there in itertools.product(Change, Change)
        if impossible(here) or impossible(there) or unpaired(here, there)
    } | {pair for pair in TABLE if Change.UNKNOWN in pair}


def impossible(change):
    return change is Change.UNKNOWN


def unpaired(here, there):
    """One side says that there was a base, the other that there was none; or dressed here."""
    fresh = {Change.NONE, Change.NEW}
    return (here in fresh) != (there in fresh) or here is Change.DRESS


@pytest.mark.parametrize(("local", "base", "remote", "tomb"), EVERY)
def test_no_view_is_without_an_answer(local, base, remote, tomb):
    action = decide(local, base, remote, tomb)
    assert isinstance(action, Action)
    here, there = local_change(local, base), remote_change(remote, base)

    # What is unknown is left alone.
    if local is UNKNOWN or remote is UNKNOWN:
        assert action is Action.WAIT
        return
    # Something local is only taken away or replaced if the store has it.
    if action in (Action.REMOVE, Action.PULL) and local is not None:
        assert here is Change.SAME
    # Something in the store is only erased or replaced if it is the version that was here.
    if action is Action.ERASE:
        assert local is None
        assert there in (Change.SAME, Change.DRESS)
    if action is Action.PUSH and remote is not None and base is not None:
        assert there in (Change.SAME, Change.DRESS) or local.kind == remote.kind != "file"
    # An edit wins over a deletion.
    if here is Change.EDIT and remote is None:
        assert action is Action.PUSH
    if local is None and there is Change.EDIT:
        assert action is Action.PULL
    # Two versions are never one.
    if {here, there} <= {Change.NEW, Change.EDIT} and local.kind != remote.kind:
        assert action in (Action.ASIDE, Action.DISPLACE)
    # Nothing is done where nothing changed.
    if (here, there) in ((Change.SAME, Change.SAME), (Change.NONE, Change.NONE)):
        assert action is Action.NOTHING
    assert action is not Action.WAIT


def test_a_touched_inode_is_a_change_even_with_the_old_time_and_size():
    base = BASES[1]
    assert local_change(replace(FILE, ctime=11), base) is Change.EDIT
    assert local_change(replace(FILE, inode=2), base) is Change.EDIT
    assert local_change(FILE, base) is Change.SAME


def test_a_database_whose_log_grew_has_changed():
    assert local_change(replace(FILE, beside="-wal:1:2:3"), BASES[1]) is Change.EDIT


def test_a_version_that_its_replacer_had_not_seen_is_kept():
    lost_race = REMOTES[5]
    assert decide(FILE, BASES[1], lost_race) is Action.ASIDE
    succession = REMOTES[4]
    assert decide(FILE, BASES[1], succession) is Action.PULL
    by_another_tool = REMOTES[6]
    assert decide(FILE, BASES[1], by_another_tool) is Action.PULL


def test_an_end_that_was_meant_for_an_older_version_is_undone():
    assert decide(FILE, BASES[1], None, Entry("gone", stamp=Stamp(9), over=5)) is Action.REMOVE
    assert decide(FILE, BASES[1], None, Entry("gone", stamp=Stamp(9), over=4)) is Action.PUSH
    assert decide(FILE, BASES[1], None, None) is Action.REMOVE


def test_new_modes_travel_without_the_content():
    assert decide(FILE, BASES[1], REMOTES[7]) is Action.DRESS
    assert decide(EDITED, BASES[1], REMOTES[7]) is Action.PUSH


def test_of_two_entries_the_later_stands_and_an_end_ends_only_what_it_saw():
    first, second = entry(order=5), entry(order=9)
    end_of_first = Entry("gone", stamp=Stamp(12, "x"), over=5)
    end_of_second = Entry("gone", stamp=Stamp(10, "y"), over=9)
    for entries in itertools.permutations([first, second, end_of_first]):
        assert max(entries, key=lambda each: each.precedence) is second
    for entries in itertools.permutations([first, second, end_of_first, end_of_second]):
        assert max(entries, key=lambda each: each.precedence) is end_of_second


def test_an_entry_survives_its_line():
    whole = Entry("file", Stamp(3, "w"), 2, 0o600, 5, 7, "digest", "tag", "", "twin")
    assert Entry.loads(whole.dumps()) == whole
    for line in (
        "",
        "{}",
        "[]",
        '{"n":[1,"a"]}',
        '{"n":[1,"a"],"k":"pipe"}',
        '{"n":1,"k":"file"}',
        '{"n":[1,"a"],"k":"file","m":"rwx"}',
    ):
        with pytest.raises(ValueError):  # noqa: PT011
            Entry.loads(line)
