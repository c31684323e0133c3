"""Homes that are copied: all of them arrives, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

from greyhub.homespace.moving.copying import Copied, Copying
from greyhub.homespace.moving.places import Place, sides
from greyhub.homespace.moving.verifying import verify
from tests.homespace.moving.conftest import picture


def copy(source: Place, target: Place, state: Path, dry: bool = False, **how) -> Copied:
    with sides(source, target, state) as (one, other, journal):
        return Copying(one, other, journal, **how).run(dry=dry)


def same(source: Place, target: Place, state: Path) -> bool:
    with sides(source, target, state) as (one, other, _):
        report = verify(one, other)
    return report.whole and not report.extra


def test_there_and_back_all_survives(home: Path, far: Place, state: Path, tmp_path: Path) -> None:
    before = picture(home)
    there = copy(Place(str(home)), far, state)
    assert there.whole, there.failed
    assert not there.beside
    assert same(Place(str(home)), far, state)
    back = Place(str(tmp_path / "back"))
    assert copy(far, back, state).whole
    assert picture(tmp_path / "back") == before == picture(home)
    twins = [(tmp_path / "back" / name).stat().st_ino for name in ("notes.txt", "second name.txt")]
    assert twins[0] == twins[1]
