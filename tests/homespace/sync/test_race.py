"""Two machines that write one name at the same moment, on a store without conditional writes."""

from __future__ import annotations

import os
from pathlib import Path

from greyhub.homespace.sync.working import WorkingCopy
from tests.homespace.sync.stores import Hook, Inline, MemoryStore, Ticker


def copy_of(top: Path, store: MemoryStore, hook: Hook) -> WorkingCopy:
    ticker = Ticker()
    found = WorkingCopy(
        top / "home",
        store.view(hook),
        top / "state",
        lanes=Inline(ticker),  # type: ignore[arg-type]
        ticker=ticker,
    )
    found.desk.journal.writer = top.name  # "one" comes before "two"
    found.restore()
    return found


def test_the_version_that_was_overwritten_is_kept_even_if_its_time_changed(tmp_path: Path) -> None:
    store = MemoryStore(conditional=False)
    one = copy_of(tmp_path / "one", store, lambda *_: None)

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
