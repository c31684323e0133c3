"""The state of a working copy, as others see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.homespace.sync.report import Report
from greyhub.homespace.sync.working import WorkingCopy
from tests.homespace.sync.stores import MemoryStore


def test_the_worst_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = WorkingCopy(tmp_path / "home", MemoryStore(), tmp_path / "state")
    report = Report(copy)
    assert report.state()["word"] == "restoring"
    report.phase = "keeping"
    assert report.state()["word"] == "saved"
    copy.agenda.note(["a"])
    assert report.state()["word"] == "saving"
    copy.agenda.later("a", copy.agenda.items["a"], 1.0, "the home's quota of 3 files is used up")
    assert report.state()["word"] == "quota"
    copy.crew.trouble = "503"
    assert report.state()["word"] == "offline"
    assert not report.state()["saved"]
    for _ in range(3):
        report.write(force=True)
    said = capsys.readouterr().err
    assert said.count("503") == 1  # once, and not every second
    copy.close()
