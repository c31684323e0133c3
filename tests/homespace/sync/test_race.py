"""Two machines that write one name at the same moment, on a store without conditional writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from greyhub.homespace.sync import source
from greyhub.homespace.sync.working_copy import WorkingCopy
from tests.homespace.sync.stores import Hook, Inline, MemoryStore, Ticker


def nothing(*_: str) -> None:
    """Nothing happens meanwhile."""


def copy_of(top: Path, store: MemoryStore, hook: Hook) -> WorkingCopy:
    ticker = Ticker()
    found = WorkingCopy(
        top / "home",
        store.view(hook),
        top / "state",
        workers=Inline(ticker),  # type: ignore[arg-type]
        ticker=ticker,
    )
    found.context.journal.writer = top.name  # "one" comes before "two"
    found.restore()
    return found


def test_the_version_that_was_overwritten_is_kept_even_if_its_time_changed(tmp_path: Path) -> None:
    store = MemoryStore(conditional=False)
    one = copy_of(tmp_path / "one", store, nothing)

    def meanwhile(when: str, operation: str, key: str) -> None:
        if (when, operation, key) == ("before", "put", "paper") and not paper.exists():
            paper.write_text("from one")
            assert one.flush(100.0) == {}

    paper = tmp_path / "one/home/paper"
    two = copy_of(tmp_path / "two", store, meanwhile)
    (tmp_path / "two/home/paper").write_text("from two")
    assert two.flush(100.0) == {}
    assert store.objects["paper"][0] == b"from two"
    os.utime(paper, (1, 1))
    one.look()
    assert one.flush(200.0) == {}
    texts = sorted(path.read_text() for path in (tmp_path / "one/home").glob("paper*"))
    assert texts == ["from one", "from two"]
    one.close()
    two.close()


def test_a_link_whose_later_name_was_looked_at_first_is_one_file_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "TICK", -1)  # no change is so fresh that it is looked at again
    store = MemoryStore()
    one = copy_of(tmp_path / "one", store, nothing)
    later, first = tmp_path / "one/home/pkgs", tmp_path / "one/home/env"
    later.write_text("content")
    assert one.flush(100.0) == {}
    os.link(later, first)
    one.queue.note(["pkgs"], rest=0.0)
    assert one.settle(150.0)
    assert one.flush(200.0) == {}
    two = copy_of(tmp_path / "two", store, nothing)
    home = tmp_path / "two/home"
    assert (home / "pkgs").stat().st_ino == (home / "env").stat().st_ino
    one.close()
    two.close()


def test_what_is_saved_while_a_folded_manifest_comes_is_not_taken_for_deleted(
    tmp_path: Path,
) -> None:
    store = MemoryStore()

    def meanwhile(when: str, operation: str, key: str) -> None:
        if (when, operation) == ("after", "fetch") and "/all-" in key and not link.is_symlink():
            link.symlink_to("paper")
            assert one.flush(200.0) == {}

    one, two = (
        copy_of(tmp_path / "one", store, meanwhile),
        copy_of(tmp_path / "two", store, nothing),
    )
    link = tmp_path / "one/home/link"
    (tmp_path / "one/home/paper").write_text("from one")
    assert one.flush(100.0) == {}
    two.look()
    assert two.flush(100.0) == {}
    two.context.manifest.fold(many=0)
    one.look()
    assert one.flush(300.0) == {}
    assert link.is_symlink()
    two.look()
    assert two.flush(400.0) == {}
    assert (tmp_path / "two/home/link").is_symlink()
    one.close()
    two.close()
