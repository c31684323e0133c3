"""The state of a working copy, as others see it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from greyhub.homespace.sync.report import Report
from greyhub.homespace.sync.working_copy import WorkingCopy
from tests.homespace.sync.stores import MemoryStore


def test_the_worst_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = WorkingCopy(tmp_path / "home", MemoryStore(), tmp_path / "state")
    report = Report(copy)
    assert report.state()["word"] == "restoring"
    report.phase = "keeping"
    assert report.state()["word"] == "saved"
    copy.queue.note(["a"])
    assert report.state()["word"] == "saving"
    copy.queue.later("a", copy.queue.items["a"], 1.0, "the home's quota of 3 files is used up")
    assert report.state()["word"] == "quota"
    copy.engine.trouble = "503"
    assert report.state()["word"] == "offline"
    assert not report.state()["saved"]
    for _ in range(3):
        report.write(force=True)
    said = capsys.readouterr().err
    assert said.count("503") == 1  # once, and not every second
    copy.close()


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    copy = WorkingCopy(tmp_path / "home", store, tmp_path / "state")
    report = Report(copy)
    (tmp_path / "home/shut").mkdir()
    (tmp_path / "home/shut/a.txt").write_text("a")
    (tmp_path / "home/b.txt").write_text("b")
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    with monkeypatch.context() as patch:  # root would read it all the same
        patch.setattr(os, "scandir", refuse)
        copy.restore()
        state = report.state()
        assert not state["saved"]
        assert state["reasons"] == {"shut/": "it cannot be read"}
        assert "b.txt" in store.objects
        assert copy.flush(copy.queue.clock() + 60) == state["reasons"]
    copy.flush(copy.queue.clock() + 60)
    report.phase = "keeping"
    assert report.state()["saved"]
    assert "shut/a.txt" in store.objects
    copy.close()
