"""What the watch tells of a tree that people and programs change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from greyhub.homespace.sync import watch as module
from greyhub.homespace.sync.watch import Watch
from tests.support.waiting import until


class Told:
    """A watch, and all that it has told."""

    def __init__(self, home: Path) -> None:
        self.home, self.paths, self.folders = home, list[str](), list[str]()
        self.ignored = {"cache"}
        self.watch = Watch(home, self.paths.extend, lambda folder: folder in self.ignored)
        self.watch.start()
        self.hears("first")

    def hears(self, name: str) -> None:
        """Wait until it is known to listen, or to have told all that was before."""

        def told() -> bool:
            (self.home / f"mark-{name}").touch()
            self.folders += self.watch.grown()
            return f"mark-{name}" in self.paths

        until(told, what=f"the mark {name}")

    def all_of(self, *paths: str) -> None:
        """Wait until all of these were told, by themselves or with a new folder around them."""

        def known() -> bool:
            self.folders += self.watch.grown()
            return all(
                path in self.paths or any(path.startswith(f"{top}/") for top in self.folders)
                for path in paths
            )

        until(known, what=", ".join(paths))

    def forget(self) -> None:
        self.folders += self.watch.grown()
        self.paths.clear()
        self.folders.clear()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Callable[[], Told]]:
    made: list[Told] = []

    def make() -> Told:
        made.append(Told(tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.watch.stop()


def test_every_kind_of_change_is_told(told: Callable[[], Told], tmp_path: Path) -> None:
    (tmp_path / "old/deep").mkdir(parents=True)
    (tmp_path / "old/deep/file").write_text("1")
    here = told()
    (tmp_path / "old/deep/file").write_text("2")
    (tmp_path / "new").write_text("n")
    (tmp_path / "old/deep/file").chmod(0o600)
    here.all_of("old/deep/file", "new")
    (tmp_path / "new").rename(tmp_path / "old/newer")
    here.all_of("old/newer")
    here.forget()
    (tmp_path / "old/newer").unlink()
    (tmp_path / "old").chmod(0o700)
    here.all_of("old/newer", "old")


def test_what_is_made_in_new_folders_is_told(told: Callable[[], Told], tmp_path: Path) -> None:
    here = told()
    for number in range(50):  # quicker than anything can be watched
        (tmp_path / f"a{number}/b/c").mkdir(parents=True)
        (tmp_path / f"a{number}/b/c/file").write_text("x")
    here.all_of(*(f"a{number}/b/c/file" for number in range(50)))
    here.hears("after")
    here.forget()
    (tmp_path / "a7/b/c/later").write_text("y")
    here.all_of("a7/b/c/later")
    assert not here.folders


def test_a_folder_is_told_by_the_name_that_it_has_now(
    told: Callable[[], Told], tmp_path: Path
) -> None:
    (tmp_path / "one/in").mkdir(parents=True)
    (tmp_path / "one/in/file").write_text("x")
    here = told()
    (tmp_path / "one").rename(tmp_path / "two")
    here.all_of("one", "two", "two/in/file")
    here.hears("after")
    here.forget()
    (tmp_path / "two/in/file").write_text("y")
    here.all_of("two/in/file")
    assert not [path for path in here.paths if path.startswith("one")]


def test_a_folder_that_left_the_home_is_not_listened_to(
    told: Callable[[], Told], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "gone").mkdir()
    here, other = told(), tmp_path_factory.mktemp("other") / "elsewhere"
    shutil.move(tmp_path / "gone", other)
    here.all_of("gone")
    here.forget()
    (other / "file").write_text("x")
    here.hears("after")
    assert "gone/file" not in here.paths


def test_ignored_folders_cost_nothing(told: Callable[[], Told], tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    here = told()
    (tmp_path / "cache/file").write_text("x")
    here.hears("after")
    assert "cache/file" not in here.paths
    here.ignored.clear()
    (tmp_path / ".greyignore").write_text("!cache/\n")  # from now on it is of interest
    until(here.watch.lost, what="a look at everything, with what is there already")
    here.forget()
    (tmp_path / "cache/file").write_text("y")
    here.all_of("cache/file")


def test_links_to_folders_are_not_entered(
    told: Callable[[], Told], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (tmp_path / "link").symlink_to(outside)
    here = told()
    (outside / "file").write_text("x")
    here.hears("after")
    assert "link/file" not in here.paths


@pytest.mark.slow
def test_lost_events_are_noticed(
    told: Callable[[], Told], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    here = told()
    here.hears("calm")
    assert not here.watch.lost()
    monkeypatch.setattr(module, "PAUSE", 2.0)
    monkeypatch.setattr(module, "MANY", float("inf"))
    here.hears("slow")
    one, other = tmp_path / "one", tmp_path / "other"
    for _ in range(limit // 2 + 1_000):  # in turn, for what is the same twice is told once
        os.utime(one) if one.exists() else one.touch()
        os.utime(other) if other.exists() else other.touch()
    until(here.watch.lost, what="the loss of events")
