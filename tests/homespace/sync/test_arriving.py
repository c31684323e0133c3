"""A server that starts while its home is still coming: what its user does then is meant so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from greyhub.errors import HomeError
from greyhub.homespace.sync import ranking
from greyhub.homespace.sync.keys import IDENTITY, META
from greyhub.homespace.sync.manifest import MANY as MANY_BATCHES
from tests.homespace.filesystem.places import Disk, Place
from tests.homespace.sync.gated import GatedMachine
from tests.homespace.sync.machines import Machine, tree
from tests.support.waiting import until

Machines = Callable[..., Machine]
NEW, OLD = 1_700_000_000, 1_000_000_000
MANY = 3_000


@pytest.fixture
def store(tmp_path: Path) -> Place:
    (tmp_path / "stores").mkdir()
    return Place("local", f"file://{tmp_path}/stores/{{username}}", {}, Disk(tmp_path), "stores/")


@pytest.fixture
def arriving(tmp_path: Path, machine: Machines, store: Place) -> Iterator[GatedMachine]:
    """A server of a home with 3,000 files in one folder, most of which are not here yet."""
    first = machine("first", store).start()
    (first.home / "deep/er/empty").mkdir(parents=True)
    (first.home / "deep/er/link").symlink_to("../../data")
    (first.home / ".jupyter/lab/late").mkdir(parents=True)
    (first.home / "deep/er/late.bin").write_bytes(b"1")
    first.stop()
    (store.disk / "data").mkdir()  # the rest is another tool's
    for number in range(MANY):
        path = store.disk / "data" / f"{'late' if number >= 400 else ''}{number}.csv"
        path.write_text(f"{number}")
        when = NEW - number if number < 400 else OLD
        os.utime(path, (when, when))
    found = GatedMachine(tmp_path / "arriving", store)
    found.start()
    yield found
    found.end()


def is_looking(machine: Machine) -> bool:
    with suppress(HomeError):
        return bool(machine.status()["progress"]["files"])
    return False


def let_come(machine: Machine, store: Place) -> None:
    (store.disk.parent / "open").touch()
    until(lambda: is_looking(machine) and machine.status()["word"] == "saved", what="all of it")
    machine.sync()


def test_a_start_waits_for_some_files_of_a_large_folder(
    arriving: GatedMachine, store: Place
) -> None:
    here = os.listdir(arriving.home / "data")
    assert ranking.AWAITED_FILES <= len(here) < MANY
    assert {f"{number}.csv" for number in range(ranking.AWAITED_FILES)} <= {*here}  # the newest
    assert (arriving.home / "deep/er/empty").is_dir()
    assert os.readlink(arriving.home / "deep/er/link") == "../../data"
    assert arriving.status()["word"] == "restoring"
    let_come(arriving, store)
    assert len(os.listdir(arriving.home / "data")) == MANY


@pytest.mark.slow
def test_what_is_not_here_yet_is_not_deleted(
    arriving: GatedMachine, machine: Machines, store: Place
) -> None:
    data = arriving.home / "data"
    (data / "1.csv").unlink()
    (data / "2.csv").write_text("new")
    (data / "late2999.csv").write_text("mine")  # the user did not see that one
    with pytest.raises(FileNotFoundError):
        (data / "late2998.csv").read_text()
    arriving.kill()
    arriving.start(wait=False)  # with most of it still missing
    until(lambda: is_looking(arriving))
    arriving.kill()
    (data / "3.csv").unlink()
    arriving.start(wait=False)
    let_come(arriving, store)
    names = {*os.listdir(data)}
    [mine] = [name for name in names if "conflict" in name]
    assert (data / mine).read_text() == "mine"
    assert (data / "late2999.csv").read_text() == "2999"
    assert (data / "2.csv").read_text() == "new"
    assert len(names) == MANY - 2 + 1
    assert tree(machine("other", store).start().home) == tree(arriving.home)


@pytest.mark.slow
def test_a_folder_that_is_renamed_while_it_comes(
    arriving: GatedMachine, machine: Machines, store: Place
) -> None:
    (arriving.home / "data").rename(arriving.home / "moved")
    (arriving.home / "deep/er/link").unlink()
    let_come(arriving, store)
    files = [*(arriving.home / "data").iterdir(), *(arriving.home / "moved").iterdir()]
    assert sorted(int(path.read_text()) for path in files) == [*range(MANY)]
    assert not (arriving.home / "data/1.csv").exists()
    assert tree(machine("other", store).start().home) == tree(arriving.home)


@pytest.mark.parametrize(
    "what", [f"get {IDENTITY}", f"get {META}", f"put {IDENTITY}", f"put {META}all-"]
)
def test_a_stop_does_not_wait_for_what_the_store_was_asked(
    tmp_path: Path, store: Place, what: str
) -> None:
    one = GatedMachine(tmp_path / "one", store).start()
    until(lambda: one.status()["complete"])
    (one.home / "a").write_text("1")
    one.sync()
    if what == f"put {IDENTITY}":
        (store.disk / IDENTITY).unlink()
    for number in range(MANY_BATCHES + 1):
        (store.disk / f"{META}{number}.jsonl").touch()
    (store.disk.parent / "shut").write_text(what)
    with ThreadPoolExecutor() as threads:
        threads.submit(one.sync)  # for which both sides are looked at
        until((store.disk.parent / "asked").exists)
        (one.home / "b").write_text("2")
        assert one.stop() == 0
    assert store.read("b") == b"2"


def test_the_order_in_which_a_home_comes() -> None:
    """Settings, the top, the level below; then the newest and smallest of the rest."""
    from greyhub.homespace.sync.records import Remote

    def file(size: int, hour: int) -> Remote:
        return Remote("file", size, "t", hour * ranking.HOUR)

    found = {
        "deep/er/old": file(10, 0),
        "deep/er/new": file(10, 90),
        "deep/er/large": file(1 << 30, 90),
        "top": file(10, 0),
        "folder/file": file(10, 90),
        "folder": Remote("folder"),
        ".jupyter/lab/settings/theme": file(10, 0),
        "top large": file(ranking.LARGE + 1, 0),
    }
    order = ranking.ranked(found.items(), 100.0)
    assert [path for _, path, _ in order][:4] == [
        "folder", ".jupyter/lab/settings/theme", "top", "folder/file",
    ]  # fmt: skip
    rest = [path for rank, path, _ in order if not ranking.awaited(rank)]
    assert rest == ["deep/er/new", "deep/er/old", "top large", "deep/er/large"]


def test_a_start_waits_for_so_many_bytes_only() -> None:
    from greyhub.homespace.sync.records import Remote

    found = [(f"{number}", Remote("file", ranking.LARGE, "t")) for number in range(50)]
    waits = [path for rank, path, _ in ranking.ranked(found, 0.0) if ranking.awaited(rank)]
    assert len(waits) == ranking.AWAITED_BYTES // ranking.LARGE
