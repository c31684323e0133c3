"""Homes that are copied: all of them arrives, and nothing is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from greyhub.errors import HomeError
from greyhub.homespace.migrate.copying import Copied, Copying
from greyhub.homespace.migrate.locations import Location
from greyhub.homespace.migrate.opening import endpoints
from greyhub.homespace.migrate.verifying import Verified, verify
from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.sync.stores import open_url
from greyhub.homespace.sync.working_copy import WorkingCopy
from tests.homespace.migrate.conftest import full, picture
from tests.support.faults import FaultyProxy, Request, times
from tests.support.waiting import MINUTE


def copy(source: Location, target: Location, state: Path, dry: bool = False, **how: Any) -> Copied:
    with endpoints(source, target, state) as (one, other, journal):
        assert other is not None
        return Copying(one, other, journal, **how).run(dry=dry)


def compared(source: Location, target: Location | None, state: Path) -> Verified:
    with endpoints(source, target, state) as (one, other, _):
        return verify(one, other)


@pytest.fixture
def bucket(place_of) -> Any:
    return place_of("s3")


@pytest.fixture
def proxy(bucket) -> Iterator[FaultyProxy]:
    with bucket.proxied() as found:
        yield found


def puts(request: Request) -> bool:
    """The upload of one of the user's small files."""
    ours = "/.greyhub/" in request.path and "/.greyhub/odd/" not in request.path
    return request.method == "PUT" and not ours


def test_there_and_back_all_survives(
    home: Path, far: Location, state: Path, tmp_path: Path
) -> None:
    before = picture(home)
    there = copy(Location(str(home)), far, state)
    assert there.whole, there.failed
    assert not there.beside
    found = compared(Location(str(home)), far, state)
    assert found.whole, found
    assert not found.extra
    back = Location(str(tmp_path / "back"))
    assert copy(far, back, state).whole
    assert picture(tmp_path / "back") == before == picture(home)
    twins = [(tmp_path / "back" / name).stat().st_ino for name in ("notes.txt", "second name.txt")]
    assert twins[0] == twins[1]


def test_from_store_to_store(home: Path, place_of, state: Path, tmp_path: Path) -> None:
    before = picture(home)
    s3, azure = (Location(each.url(), each.options) for each in map(place_of, ("s3", "azure")))
    assert copy(Location(str(home)), s3, state).whole
    assert copy(s3, azure, state).whole
    with endpoints(s3, azure, state) as (one, other, _):
        assert one.known_as() == other.known_as()  # so that a working copy knows it again
    assert copy(azure, Location(str(tmp_path / "back")), state).whole
    assert picture(tmp_path / "back") == before


@pytest.mark.parametrize("name", ["memory", "sftp", "webdav"])
def test_stores_without_working_copies(name: str, place_of, state: Path, tmp_path: Path) -> None:
    place = place_of(name)
    place.home().pipe("a/b.txt", b"here already")
    home = tmp_path / "home"
    (home / "a").mkdir(parents=True)
    (home / "a" / "c.txt").write_bytes(b"new")
    (home / "run").write_bytes(b"#!")
    (home / "run").chmod(0o755)
    (home / "link").symlink_to("run")
    far = Location(place.url(), place.options)
    there = copy(Location(str(home)), far, state)
    assert there.whole, there.failed
    assert place.read("a/c.txt") == b"new"
    back = tmp_path / "back"
    assert copy(far, Location(str(back)), state).whole
    assert (back / "a" / "b.txt").read_bytes() == b"here already"
    assert (back / "run").stat().st_mode & 0o777 == 0o755
    assert os.readlink(back / "link") == "run"


@pytest.mark.parametrize("name", ["s3", "azure", "memory", "sftp", "webdav"])
def test_what_has_no_manifest_is_copied_too(
    name: str, place_of, state: Path, tmp_path: Path
) -> None:
    place = place_of(name)
    home = place.home()
    home.pipe("a/b/file.txt", b"x")
    home.makedirs("hollow/more")
    if name == "sftp":
        (place.disk / "link").symlink_to("a/b")
    back = tmp_path / "back"
    assert copy(Location(place.url(), place.options), Location(str(back)), state).whole
    assert (back / "a" / "b" / "file.txt").read_bytes() == b"x"
    assert (back / "hollow" / "more").is_dir()
    assert (back / "hollow").stat().st_mode & 0o777 == 0o755
    assert name != "sftp" or os.readlink(back / "link") == "a/b"


def test_a_working_copy_knows_its_home_again(place_of, state: Path, tmp_path: Path) -> None:
    s3, azure = (Location(each.url(), each.options) for each in map(place_of, ("s3", "azure")))

    def bring(place: Location) -> dict[str, str]:
        store = open_url(place.url, Secrets(place.options).read())
        copy_ = WorkingCopy(tmp_path / "copy", store, tmp_path / "known")
        try:
            copy_.restore()
            return dict(copy_.unsaved())
        finally:
            copy_.close()

    full(tmp_path / "copy")
    assert bring(s3) == {}
    for number in range(3):  # versions that the copy has seen
        (tmp_path / "copy" / "notes.txt").write_text(f"notes {number}")
        assert bring(s3) == {}
    assert copy(s3, azure, state).whole
    (tmp_path / "copy" / "not saved yet").write_text("as it was moved")
    before = picture(tmp_path / "copy")
    assert bring(azure) == {}
    assert picture(tmp_path / "copy") == before  # no second version of anything
    assert copy(azure, Location(str(tmp_path / "back")), state).whole
    assert {path for path in picture(tmp_path / "back") if not path.startswith(".venv")} == {
        path for path in before if not path.startswith(".venv")
    }


@pytest.mark.root
def test_what_root_copies_is_its_owners(home: Path, state: Path, tmp_path: Path) -> None:
    for each in (home, *home.rglob("*")):
        os.chown(each, 54321, 54322, follow_symlinks=False)
    target = tmp_path / "new" / "ada"
    assert copy(Location(str(home)), Location(str(target)), state).whole
    owners = {each.lstat().st_uid for each in (target, *target.rglob("*"))}
    assert owners == {54321}
    assert target.stat().st_mode & 0o777 == 0o700
    other = Location(str(tmp_path / "other" / "ada"), owner=54399)
    assert copy(Location(str(home)), other, state).whole
    assert (tmp_path / "other" / "ada").stat().st_uid == 54399
    assert (tmp_path / "other" / "ada" / "link").lstat().st_uid == 54399


def test_a_second_time_nothing_is_sent(home: Path, bucket, proxy, state: Path) -> None:
    far = Location(bucket.url(), proxy.options)
    first = copy(Location(str(home)), far, state)
    proxy.requests.clear()
    (home / "notes2.txt").write_text("new")
    (home / "work" / "run.sh").write_text("#!/bin/bash\n")
    second = copy(Location(str(home)), far, state)
    assert second.whole
    assert not second.beside  # what was copied before is replaced by its newer version
    sent = {request.path.rpartition("/")[2] for request in proxy.requests if puts(request)}
    assert sent == {"notes2.txt", "run.sh"}
    assert first.copied > second.copied == 2
    assert bucket.read("work/run.sh") == b"#!/bin/bash\n"


def test_without_a_memory_what_is_there_is_recognised(
    home: Path, far: Location, state: Path, tmp_path: Path
) -> None:
    copy(Location(str(home)), far, state)
    again = copy(Location(str(home)), far, tmp_path / "another state")
    assert again.whole
    assert not again.beside
    assert again.copied == 0
    assert compared(Location(str(home)), far, state).whole


def test_a_dry_run_touches_nothing(home: Path, bucket, proxy, state: Path) -> None:
    before = picture(home)
    report = copy(Location(str(home)), Location(bucket.url(), proxy.options), state, dry=True)
    assert report.copied == sum(each[0] == "file" for each in before.values())
    assert not report.whole
    assert not [each for each in proxy.requests if each.changes]
    assert picture(home) == before
    assert bucket.names() == set()
    local = Location(str(home.parent / "new" / "ada"))
    copy(Location(str(home)), local, state, dry=True)
    assert not (home.parent / "new").exists()


def test_what_is_there_is_never_overwritten(
    home: Path, far: Location, state: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "work").mkdir(parents=True)
    (other / "notes.txt").write_bytes(b"somebody's newer notes")
    (other / "link").symlink_to("elsewhere")
    (other / "big.bin").mkdir()
    (other / "big.bin" / "inside").write_bytes(b"x")
    (other / "only here").write_bytes(b"stays")
    assert copy(Location(str(other)), far, state).whole
    report = copy(Location(str(home)), far, state)
    assert report.whole, report.failed
    assert set(report.beside) >= {"notes.txt", "link", "big.bin"}
    assert report.extra >= 2
    back = tmp_path / "back"
    copy(far, Location(str(back)), state)
    assert (back / "notes.txt").read_bytes() == b"somebody's newer notes"
    assert (back / report.beside["notes.txt"]).read_bytes() == b"notes"
    assert os.readlink(back / "link") == "elsewhere"
    assert os.readlink(back / report.beside["link"]) == "work/run.sh"
    assert (back / report.beside["big.bin"]).read_bytes() == (home / "big.bin").read_bytes()
    assert (back / "only here").read_bytes() == b"stays"
    assert "copied" in report.beside["notes.txt"]
    before = picture(back)
    copy(Location(str(home)), far, tmp_path / "another state")
    copy(far, Location(str(tmp_path / "back2")), state)
    assert picture(tmp_path / "back2") == before  # a second copy has the same name


def test_a_file_where_a_folder_belongs_is_said(
    home: Path, far: Location, state: Path, tmp_path: Path
) -> None:
    other, back = tmp_path / "other", tmp_path / "back"
    other.mkdir()
    (other / "work").write_bytes(b"a file")
    for number in range(30):
        (home / "work" / f"{number}").write_bytes(b"x")
    copy(Location(str(other)), far, state)
    report = copy(Location(str(home)), far, state)
    assert not report.whole
    assert "work" in report.failed
    assert "work/deep/er/data.bin" in report.failed
    copy(far, Location(str(back)), state)
    assert (back / "work").read_bytes() == b"a file"
    assert (back / "notes.txt").read_bytes() == b"notes"


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["busy", "lose"])
def test_a_store_in_trouble_is_asked_again(
    home: Path, bucket, proxy, state: Path, tmp_path: Path, fault: str
) -> None:
    far = Location(bucket.url(), proxy.options)
    proxy.rules = [times(12, fault, puts), times(3, fault, lambda request: request.method == "GET")]
    report = copy(Location(str(home)), far, state)
    assert report.whole, report.failed
    assert not report.beside
    proxy.rules = [times(6, fault)]
    back = copy(far, Location(str(tmp_path / "back")), state)
    assert back.whole, back.failed
    assert picture(tmp_path / "back") == picture(home)


@pytest.mark.slow
def test_a_store_that_never_answers_ends_it(home: Path, bucket, proxy, state: Path) -> None:
    for number in range(30):
        (home / f"more{number}").write_bytes(b"more")
    proxy.rules = [times(10_000, "refuse", puts)]
    with pytest.raises(HomeError, match="run the same command again"):
        copy(Location(str(home)), Location(bucket.url(), proxy.options), state, patience=1.0)
    proxy.rules = []
    assert copy(Location(str(home)), Location(bucket.url(), proxy.options), state).whole


def test_killed_it_goes_on_where_it_was(home: Path, bucket, proxy, state: Path, tmp_path) -> None:
    for number in range(60):
        (home / f"more{number:02d}").write_bytes(b"more" * number)
    sent, enough, go_on = threading.Semaphore(0), 30, threading.Event()
    count = [0]

    def hold(request: Request) -> str | None:
        if puts(request):
            count[0] += 1
            sent.release()
            if count[0] > enough:
                go_on.wait(10 * MINUTE)
                return "busy"  # it never came through
        return None

    proxy.rules = [hold]
    code = (
        "import sys, json; from pathlib import Path\n"
        "from greyhub.homespace.migrate.copying import Copying\n"
        "from greyhub.homespace.migrate.locations import Location\n"
        "from greyhub.homespace.migrate.opening import endpoints\n"
        "source, target, options, state = sys.argv[1:]\n"
        "far = Location(target, json.loads(options))\n"
        "with endpoints(Location(source), far, Path(state)) as all:\n"
        "    Copying(*all).run()\n"
    )
    options = json.dumps(proxy.options)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home), bucket.url(), options, str(state)]
    )
    try:
        for _ in range(enough + 1):
            assert sent.acquire(timeout=MINUTE)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        proxy.rules = []
        go_on.set()
    there = len(bucket.names())
    assert 0 < there < 60
    far = Location(bucket.url(), proxy.options)
    report = copy(Location(str(home)), far, state)
    assert report.whole, report.failed
    assert not report.beside
    assert report.same > 0
    assert copy(far, Location(str(tmp_path / "back")), state).whole
    assert picture(tmp_path / "back") == picture(home)


class Corrupting:
    """A store that publishes other bytes than it was given."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, source: Any, expect: str | None) -> str:
        if key != "notes.txt":
            return self._store.put(key, source, expect)

        class Other:
            size = source.size

            def chunks(self, length: int = 1 << 20) -> Iterator[bytes]:
                for piece in source.chunks(length):
                    yield piece[::-1]

            def seal(self) -> str:
                return source.seal()

        return self._store.put(key, Other(), expect)


def test_other_bytes_than_were_sent_are_noticed(home: Path, bucket, state: Path) -> None:
    far = Location(bucket.url(), bucket.options)
    with endpoints(Location(str(home)), far, state) as (one, other, journal):
        other.store = Corrupting(other.store)
        report = Copying(one, other, journal, patience=0.5).run()
    assert list(report.failed) == ["notes.txt"]
    assert "other bytes" in report.failed["notes.txt"]
    assert bucket.read("notes.txt") is None
    assert copy(Location(str(home)), far, state).whole
    assert bucket.read("notes.txt") == b"notes"


def test_what_is_not_what_was_saved_is_not_copied(
    home: Path, bucket, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Location(bucket.url(), bucket.options)
    copy(Location(str(home)), far, state)
    with endpoints(far, Location(str(tmp_path / "back")), state) as (one, other, journal):
        fetch = one.store.fetch

        def rotten(key: str, tag: str | None, into: Any, size: int = 0) -> str:
            if key == "notes.txt":
                into.write(b"n0tes")
                return tag or ""
            return fetch(key, tag, into, size)

        monkeypatch.setattr(one.store, "fetch", rotten)
        report = Copying(one, other, journal, patience=0.5).run()
        found = verify(one, None)
    assert "notes.txt" in report.failed
    assert not (tmp_path / "back" / "notes.txt").exists()
    assert found.differences == {"notes.txt": "its content differs"}


def test_what_differs_is_said(home: Path, far: Location, state: Path, tmp_path: Path) -> None:
    copy(Location(str(home)), far, state)
    os.utime(home / "empty", ns=(1, 1))
    (home / "work" / "run.sh").write_text("#!/bin/SH\n")
    (home / "notes.txt").chmod(0o600)
    (home / "new").write_text("new")
    (home / "link").unlink()
    (home / "link").symlink_to("elsewhere")
    (home / "big.bin").unlink()
    found = compared(Location(str(home)), far, state)
    assert not found.whole
    assert found.extra == ["big.bin"]
    assert found.differences["new"] == "it is missing"
    assert found.differences["link"] == "the link leads elsewhere"
    assert "600 here" in found.differences["notes.txt"]
    assert "time" in found.differences["empty"]
    assert set(found.differences) >= {"work/run.sh"}
    assert "notes.txt" in found.differences


def test_a_manifest_is_compared_with_what_is_there(home: Path, bucket, state: Path) -> None:
    far = Location(bucket.url(), bucket.options)
    copy(Location(str(home)), far, state)
    assert compared(far, None, state).whole
    bucket.write("by another tool", b"x")
    found = compared(far, None, state)
    assert found.whole
    assert found.undescribed == 1


def test_nothing_is_written_through_a_link(home: Path, state: Path, tmp_path: Path) -> None:
    outside, target = tmp_path / "outside", tmp_path / "target"
    outside.mkdir()
    target.mkdir()
    (target / "work").symlink_to(outside)
    report = copy(Location(str(home)), Location(str(target)), state)
    assert list(outside.iterdir()) == []
    assert not report.whole
    assert (target / "work").is_symlink()


def test_nothing_is_read_through_a_link(tmp_path: Path, state: Path) -> None:
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "secret").write_bytes(b"secret")
    home = tmp_path / "home"
    home.mkdir()
    (home / "theirs").symlink_to(tmp_path / "others")
    assert copy(Location(str(home)), Location(str(tmp_path / "new")), state).whole
    assert (tmp_path / "new" / "theirs").is_symlink()
    (home / "theirs").unlink()
    (home / "theirs").mkdir()
    (home / "theirs" / "secret").write_bytes(b"mine")
    with endpoints(Location(str(home)), Location(str(tmp_path / "new2")), state) as (
        one,
        _,
        _journal,
    ):
        [item] = [each for each in one.items() if each.kind == "file"]
        (home / "theirs").rename(home / "aside")
        (home / "theirs").symlink_to(tmp_path / "others")
        with pytest.raises(OSError, match="link"), one.open(item):
            pass


def test_a_database_and_its_log_are_one(tmp_path: Path, bucket, state: Path) -> None:
    import shutil
    import sqlite3

    home = tmp_path / "home"
    home.mkdir()
    live = sqlite3.connect(tmp_path / "live.db")
    live.execute("pragma journal_mode = wal")
    live.execute("create table t (x)")
    live.execute("insert into t values (42)")
    live.commit()
    for suffix in ("", "-wal"):  # as a killed server leaves it
        shutil.copyfile(f"{tmp_path}/live.db{suffix}", f"{home}/kept.db{suffix}")
    live.close()
    before = picture(home)
    far = Location(bucket.url(), bucket.options)
    assert copy(Location(str(home)), far, state).whole
    assert compared(Location(str(home)), far, state).whole
    assert picture(home) == before
    copy(far, Location(str(tmp_path / "back")), state)
    assert [each.name for each in (tmp_path / "back").iterdir()] == ["kept.db"]
    found = sqlite3.connect(tmp_path / "back" / "kept.db")
    assert found.execute("select x from t").fetchall() == [(42,)]
    found.close()


def test_one_home_is_not_copied_into_itself(home: Path, state: Path) -> None:
    for target in (home, home / "within", home.parent):
        with pytest.raises(HomeError, match="one home"):
            copy(Location(str(home)), Location(str(target)), state)
    (home.parent / "alias").symlink_to(home)
    with pytest.raises(HomeError, match="one home"):
        copy(Location(str(home)), Location(str(home.parent / "alias")), state)


def test_no_home_is_not_an_empty_one(tmp_path: Path, far: Location, state: Path) -> None:
    with pytest.raises(HomeError, match="no home"):
        copy(Location(str(tmp_path / "nobody")), far, state)


def test_only_one_at_a_time(home: Path, tmp_path: Path, state: Path) -> None:
    target = Location(str(tmp_path / "new"))
    with (
        endpoints(Location(str(home)), target, state),
        pytest.raises(HomeError, match="at work"),
        endpoints(Location(str(home)), target, state),
    ):
        pass
