"""A file appears whole or not at all, whoever reads, writes or dies meanwhile."""

from __future__ import annotations

import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from greyhub.homespace.filesystem import FileChanged, Home
from greyhub.homespace.stores import PART
from tests.homespace.filesystem.places import Place
from tests.support.waiting import MINUTE, until


class Failure(Exception):
    """What a user's own code raises."""


def half(home: Home, name: str, mode: str, content: bytes | str) -> None:
    """Write half of a file, and fail."""
    with home.open(name, mode) as file:
        file.write(content)
        raise Failure


@pytest.mark.parametrize("mode", ["wb", "w"])
def test_a_block_that_raises_publishes_nothing(place: Place, home: Home, mode: str) -> None:
    home.pipe("old", b"old")
    for name in ("old", "new", "not/there/yet"):
        with pytest.raises(Failure):
            half(home, name, mode, b"half" if mode == "wb" else "half")
    with pytest.raises(Failure):
        half(home, "old", "wb", bytes(20 * 2**20))  # more than is kept in memory
    assert place.names() == {"old"}
    assert place.read("old") == b"old"
    assert home.ls("", detail=False) == ["old"]


@pytest.mark.parametrize("mode", ["wb", "w"])
def test_a_file_that_is_never_closed_publishes_nothing(home: Home, mode: str) -> None:
    home.pipe("old", b"old")
    with pytest.warns(RuntimeWarning, match="'old' was never closed"):
        home.open("old", mode).write(b"half" if mode == "wb" else "half")
    assert home.cat("old") == b"old"
    assert home.find("") == ["old"]


def test_nothing_is_seen_before_the_file_is_closed(place: Place, home: Home) -> None:
    home.pipe("f", b"old")
    with home.open("f", "wb") as file:
        file.write(bytes(9 * 2**20))
        file.flush()
        assert home.cat("f") == b"old"
        assert place.read("f") == b"old"
        assert home.find("") == ["f"]
    assert place.read("f") == bytes(9 * 2**20)
    assert place.names() == {"f"}


def whole(content: bytes) -> bool:
    """Whether content is one that `versions` made."""
    number, _, rest = content.partition(b":")
    return rest == number * (len(rest) // max(len(number), 1)) and len(rest) > 1000


def version(number: int) -> bytes:
    text = str(number).encode()
    return text + b":" + text * (2000 + 37 * number)


def test_readers_see_the_old_file_or_the_new_one(place: Place) -> None:
    writer, reader = place.home(), place.home()
    if "atomic" not in writer.can:
        pytest.skip("not promised: the store's own matter")
    writer.pipe("f", version(0))
    stop = threading.Event()
    seen: list[bytes] = []

    def read() -> None:
        while not stop.is_set():
            content = reader.cat("f")
            assert whole(content), content[:50]
            assert reader.exists("f")
            if place.name != "webdav":  # its servers take a file away before its successor comes
                assert reader.ls("", detail=False) == ["f"]
            seen.append(content[:3])

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for number in range(1, 11):
                writer.pipe("f", version(number))
        finally:
            stop.set()
        for each in readers:
            each.result()
    assert seen
    assert place.read("f") == version(10)


def test_an_open_file_stays_what_it_was_or_says_that_it_is_gone(place: Place, home: Home) -> None:
    content = os.urandom(12 * 2**20)
    home.pipe("f", content)
    with home.open("f") as file:
        assert file.read(10) == content[:10]
        home.pipe("f", b"new" * 2**20)
        try:
            assert file.read() == content[10:]
        except FileChanged:
            assert place.name in ("s3", "azure", "memory", "webdav", "other")
    assert home.cat("f") == b"new" * 2**20


def test_of_writers_at_once_one_wins_whole(place: Place) -> None:
    homes = [place.home() for _ in range(4)]
    if "atomic" not in homes[0].can:
        pytest.skip("not promised: the store's own matter")
    barrier = threading.Barrier(4)

    def write(number: int) -> None:
        barrier.wait()
        with homes[number].open("d/f", "wb") as file:
            file.write(version(number + 1))

    for _ in range(3):
        together(write, range(4))
        assert place.read("d/f") in [version(number + 1) for number in range(4)]
        assert place.names() == {"d/f"}


def test_of_creators_at_once_one_wins(place: Place) -> None:
    homes = [place.home() for _ in range(4)]
    if "exclusive_create" not in homes[0].can:
        pytest.skip("declined: test_content.py::test_exclusive_creation")
    barrier = threading.Barrier(4)

    def create(job: tuple[int, int]) -> int:
        number, turn = job
        barrier.wait()
        try:
            if turn % 2:
                homes[number].pipe_file(f"f{turn}", version(number + 1), mode="create")
            else:
                with homes[number].open(f"f{turn}", "xb") as file:
                    file.write(version(number + 1))
        except FileExistsError:
            return 0
        return number + 1

    for turn in range(6):
        won = [each for each in together(create, [(n, turn) for n in range(4)]) if each]
        assert len(won) == 1
        assert place.read(f"f{turn}") == version(won[0])


def test_exclusive_creation_does_not_trust_an_earlier_look(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tool creates the file after the last moment at which one could look."""
    home = place.home()
    if "exclusive_create" not in home.can:
        pytest.skip("declined: test_content.py::test_exclusive_creation")
    step = {
        "local": "_take", "s3": "call", "azure": "call", "memory": "head", "sftp": "on",
    }[place.name]  # fmt: skip
    kept = getattr(type(home.store), step)
    armed: list[bool] = []

    def late(self: Any, *args: Any, **kwargs: Any) -> Any:
        last = {"s3": args[1:2] == ("put_object",), "sftp": "settled" in kwargs}
        if place.name == "azure":
            last["azure"] = getattr(args[1], "__name__", "") == "write"
        if armed and last.get(place.name, True):
            armed.clear()
            place.write("f", b"first")
        return kept(self, *args, **kwargs)

    monkeypatch.setattr(type(home.store), step, late)
    if place.name == "memory":  # it looks and puts in one step: there is no moment in between
        monkeypatch.undo()
        place.write("f", b"first")
    armed.append(True)
    with pytest.raises(FileExistsError):
        home.pipe_file("f", b"second", mode="create")
    assert place.read("f") == b"first"


def test_no_appended_line_is_lost(place: Place) -> None:
    homes = [place.home() for _ in range(3)]
    if "append" not in homes[0].can:
        pytest.skip("declined: test_content.py::test_append")

    def write(number: int) -> None:
        for turn in range(6):
            with homes[number].open("log", "ab") as file:
                file.write(f"{number}-{turn}\n".encode())

    together(write, range(3))
    found = (place.read("log") or b"").decode().splitlines()
    assert sorted(found) == sorted(f"{n}-{t}" for n in range(3) for t in range(6))


def test_two_notebooks_do_not_overwrite_each_other(place: Place) -> None:
    one, two = place.home(), place.home()
    one.pipe("n", b"start")
    if "conditional_write" not in one.can:
        with pytest.raises(NotImplementedError, match="conditional_write"):
            one.pipe_file("n", b"1", match="any")
        with pytest.raises(NotImplementedError, match="conditional_write"):
            one.open("n", "wb", match="any")
        assert place.read("n") == b"start"
        return
    opened = one.info("n")["version"]
    two.pipe_file("n", b"other", match=two.info("n")["version"])
    with pytest.raises(FileChanged):
        one.pipe_file("n", b"mine!", match=opened)
    with pytest.raises(FileChanged), one.open("n", "wb", match=opened) as file:
        file.write(b"mine!")
    with pytest.raises(FileChanged):
        one.pipe_file("gone", b"mine!", match=opened)
    assert place.names() == {"n"}
    assert place.read("n") == b"other"
    with one.open("n", "wb", match=one.info("n")["version"]) as file:
        file.write(b"then mine")
    assert place.read("n") == b"then mine"


def test_conditional_writers_take_turns(place: Place) -> None:
    homes = [place.home() for _ in range(3)]
    if "conditional_write" not in homes[0].can:
        pytest.skip("declined: test_two_notebooks_do_not_overwrite_each_other")
    homes[0].pipe("n", b"0")

    def count(number: int) -> None:
        home, done = homes[number], 0
        while done < 3:
            version = home.info("n")["version"]
            try:
                value = int(home.cat("n"))
                home.pipe_file("n", str(value + 1).encode(), match=version)
            except FileChanged:
                continue
            done += 1

    together(count, range(3))
    assert place.read("n") == b"9"


def test_every_overwrite_is_another_version(home: Home) -> None:
    home.pipe("f", b"aaaa")
    seen = {home.ukey("f")}
    sums = {home.checksum("f")}
    for turn in range(4):
        home.pipe("f", b"bcde"[turn : turn + 1] * 4)
        seen.add(home.ukey("f"))
        sums.add(home.checksum("f"))
    if home.store.url.startswith(("plain", "webdav")):
        assert seen  # as far as the server's tags tell
    else:
        assert len(seen) == len(sums) == 5
    assert home.ukey("f") == home.ukey("f")
    assert abs(home.modified("f").timestamp() - time.time()) < 60


def test_moving_a_file(place: Place, home: Home) -> None:
    home.pipe({"a": b"a", "b": b"b", "d/x": b"x"})
    home.mv("a", "new/c")
    assert place.names() == {"b", "d/x", "new/c"}
    home.mv("new/c", "b")
    assert place.read("b") == b"a"
    assert not home.isfile("new/c")
    home.mv("b", "d")
    assert place.read("d/b") == b"a"
    with pytest.raises(FileNotFoundError):
        home.mv("nothing", "e/f")
    assert not home.exists("e")
    home.mv("d/b", "d/b")
    assert place.read("d/b") == b"a"
    assert place.names() == {"d/b", "d/x"}


def test_moving_a_directory(place: Place, home: Home) -> None:
    tree = {"d/a": b"a", "d/e/f": b"f", "d2": b"2", "dd/g": b"g", "d.txt": b"t"}
    home.pipe(tree)
    home.mkdir("d/empty")
    home.mv("d", "moved", recursive=True)
    kept = {"d2", "dd/g", "d.txt"}
    assert place.names() == {"moved/a", "moved/e/f"} | kept
    assert not home.exists("d")
    assert home.isdir("moved/empty")
    home.mv("moved", "dd", recursive=True)
    assert place.names() == {"dd/moved/a", "dd/moved/e/f"} | kept
    for source, target in [("dd", "dd/inside"), ("dd", "dd"), ("dd", "d2")]:
        if source != target:
            with pytest.raises(OSError, match=r"itself|directory"):
                home.mv(source, target, recursive=True)
    assert place.names() == {"dd/moved/a", "dd/moved/e/f"} | kept
    assert place.read("d2") == b"2"


def test_a_move_that_fails_keeps_the_source(
    place: Place, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.pipe({"d/a": b"a", "d/b": b"b", "d/c": b"c", "f": b"f"})
    failure = PermissionError(13, "denied")
    step = {"local": None, "sftp": None, "webdav": "request", "other": "put"}.get(
        place.name, "copy_object"
    )
    left = [1]

    def fail(self: Any, *args: Any, **kwargs: Any) -> Any:
        if place.name == "webdav" and (len(args) < 2 or args[1] != "MOVE"):
            return kept(self, *args, **kwargs)
        if place.name == "webdav" or left[0] == 0:
            raise failure
        left[0] -= 1
        return kept(self, *args, **kwargs)

    if step is None:
        home.pipe("file", b"1")
        with pytest.raises(NotADirectoryError):
            home.mv("d", "file/d", recursive=True)
        assert place.names() == {"d/a", "d/b", "d/c", "f", "file"}
        return
    kept = getattr(type(home.store), step)
    monkeypatch.setattr(type(home.store), step, fail)
    with pytest.raises(PermissionError):
        home.mv("d", "elsewhere", recursive=True)
    monkeypatch.undo()
    assert {"d/a", "d/b", "d/c", "f"} <= place.names()
    if place.name != "other":
        assert place.names() == {"d/a", "d/b", "d/c", "f"}


WRITER = """
import sys
from greyhub.homespace.filesystem import Home
home = Home(sys.argv[1], eval(sys.argv[2]))
file = home.open("f", "wb")
file.write(b"half" * 2**20 * 5)
file.flush()
print("written", flush=True)
sys.stdin.read()
"""


def killed_writer(place: Place) -> None:
    """A process that is killed in the middle of writing."""
    command = [sys.executable, "-c", WRITER, place.url(), repr(dict(place.options))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("place", ["local", "s3", "sftp"], indirect=True)
def test_a_killed_writer_leaves_the_old_file(place: Place, home: Home) -> None:
    home.pipe("f", b"old")
    killed_writer(place)
    assert place.read("f") == b"old"
    assert home.find("") == ["f"]
    assert home.ls("", detail=False) == ["f"]
    # What it left is gone as soon as its directory was looked at.
    assert place.names() == {"f"}


def test_a_living_writer_is_not_taken_for_a_dead_one(place_of: Callable[[str], Place]) -> None:
    place = place_of("local")
    one, two = place.home(), place.home()
    with one.open("f", "wb") as file:
        file.write(b"slow")
        assert len(place.names()) == 1
        assert two.ls("") == []
        assert len(place.names()) == 1
    assert place.names() == {"f"}


@pytest.mark.parametrize("place", ["sftp", "webdav"], indirect=True)
def test_leftovers_are_hidden_and_reaped_when_they_are_old(place: Place, home: Home) -> None:
    hidden = f"{PART}0123"
    for name in (hidden, f"d/{hidden}"):
        place.write(name, b"half")
    place.write("d/f", b"1")
    assert home.find("", withdirs=True) == ["d", "d/f"]
    assert place.names() == {hidden, f"d/{hidden}", "d/f"}
    old = time.time() - 2 * 24 * 3600
    for name in (hidden, f"d/{hidden}"):
        os.utime(place.disk / name, (old, old))
    assert home.find("") == ["d/f"]
    assert place.names() == {"d/f"}


def test_uploads_of_dead_writers_are_aborted(
    place_of: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from greyhub.homespace.stores import multipart

    place = place_of("s3")
    client = place.oracle.client  # type: ignore[attr-defined]

    def uploads() -> set[str]:
        found = client.list_multipart_uploads(Bucket="homes", Prefix=place.inside("") + "/")
        return {each["Key"].rpartition("/")[2] for each in found.get("Uploads", ())}

    client.create_multipart_upload(Bucket="homes", Key=place.inside("dead"))
    # Moto says of every upload that it was begun in 2010.
    monkeypatch.setattr(multipart, "LEFT_OVER", timedelta(days=40_000))
    monkeypatch.setattr(multipart, "PART", 5 * 2**20)
    monkeypatch.setattr("greyhub.homespace.stores.s3.PART", 5 * 2**20)
    place.home().pipe("big", bytes(11 * 2**20))
    assert uploads() == {"dead"}
    monkeypatch.setattr(multipart, "LEFT_OVER", timedelta(days=1))
    home = place.home()
    home.pipe("big", os.urandom(11 * 2**20))
    assert uploads() == set()
    # One that fails half-way is aborted by itself, and publishes nothing.
    kept, before = home.cat("big"), multipart.Multipart._put

    def fail(self: Any, number: int, chunk: bytes) -> Any:
        if number == 2:
            raise Failure
        return before(self, number, chunk)

    monkeypatch.setattr(multipart.Multipart, "_put", fail)
    with pytest.raises(Failure):
        home.pipe("big", bytes(11 * 2**20))
    assert uploads() == set()
    assert home.cat("big") == kept


def test_big_objects_are_copied_in_parts(
    place_of: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = place_of("s3").home()
    content = os.urandom(11 * 2**20)
    home.pipe("big", content)
    monkeypatch.setattr("greyhub.homespace.stores.s3.COPIED_AT_ONCE", 2**20)
    monkeypatch.setattr("greyhub.homespace.stores.multipart.PART", 5 * 2**20 // 32)
    home.cp("big", "copy")
    home.mv("big", "moved")
    assert home.cat("copy") == content
    assert home.cat("moved") == content
    assert home.find("") == ["copy", "moved"]


def test_a_reader_finishes_what_a_webdav_writer_began(place_of: Callable[[str], Place]) -> None:
    """The server had removed the old file, and then something died."""
    from greyhub.homespace.stores import webdav

    place = place_of("webdav")
    home = place.home()
    home.pipe("d/f", b"old")
    waiting = f"d/{webdav._swap('d/f')}-0123"
    place.write(waiting, b"new")
    assert home.ls("d", detail=False) == ["d/f"]
    assert home.cat("d/f") == b"old"
    place.delete("d/f")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webdav, "STUCK", 0.2)
        assert home.cat("d/f") == b"new"
    assert place.names() == {"d/f"}
    with pytest.raises(FileNotFoundError):
        home.cat("d/g")


def test_transactions_publish_together_or_not_at_all(place: Place, home: Home) -> None:
    home.pipe("old", b"old")

    def fail() -> None:
        with home.transaction:
            home.pipe("old", b"new")
            home.write_text("b", "2")
            home.put_file(__file__, "c")
            assert home.cat("old") == b"old"
            raise Failure

    with pytest.raises(Failure):
        fail()
    assert place.names() == {"old"}
    assert place.read("old") == b"old"
    with home.transaction:
        home.pipe("old", b"new")
        with home.open("b", "w") as file:
            file.write("2")
        assert place.read("old") == b"old"
        assert not home.exists("b")
    assert place.names() == {"old", "b"}
    assert place.read("old") == b"new"
    assert place.read("b") == b"2"


def test_a_transaction_that_fails_does_not_poison_what_follows(
    place: Place, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = type(home.store).publish

    def fail(self: Any, staged: Any, path: str, **how: Any) -> None:
        if path == "b":
            raise OSError(5, "broken", path)
        kept(self, staged, path, **how)

    monkeypatch.setattr(type(home.store), "publish", fail)
    with pytest.raises(OSError, match="broken"), home.transaction:
        home.pipe(dict.fromkeys("abc", b"1"))
    monkeypatch.undo()
    assert place.names() <= {"a"}
    home.pipe("later", b"1")
    assert place.read("later") == b"1"
    home.start_transaction()
    home.pipe("d", b"1")
    assert not home.exists("d")
    home.end_transaction()
    assert home.exists("d")


def test_a_transaction_is_one_threads_affair() -> None:
    home = Home("memory://homes/threads")

    def fail(pool: ThreadPoolExecutor) -> None:
        with home.transaction:
            home.pipe("mine", b"1")
            pool.submit(home.pipe, "theirs", b"1").result()
            assert home.exists("theirs")
            raise Failure

    with ThreadPoolExecutor(1) as pool, pytest.raises(Failure):
        fail(pool)
    assert home.find("") == ["theirs"]


def together(call: Callable[[Any], Any], jobs: Any) -> list[Any]:
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(call, jobs))


def test_local_files_keep_their_modes(tmp_path: Path) -> None:
    home = Home(str(tmp_path))
    home.pipe("script", b"#!/bin/sh\n")
    (tmp_path / "script").chmod(0o750)
    home.pipe("script", b"#!/bin/bash\n")
    assert (tmp_path / "script").stat().st_mode & 0o777 == 0o750
    home.cp("script", "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o750


def test_a_locked_reader_waits_for_no_one(tmp_path: Path) -> None:
    """What is staged is locked for its writer; nobody who reads is kept waiting."""
    home = Home(str(tmp_path))
    with home.open("f", "wb") as file:
        file.write(b"1")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(Home(str(tmp_path)).ls, "").result(MINUTE) == []
    until(lambda: home.exists("f"))
    assert isinstance(home.open("f"), io.BufferedReader)


def test_a_file_that_could_not_be_opened_is_not_missed(tmp_path, recwarn):
    home = Home(str(tmp_path))
    home.pipe("file", b"")
    with pytest.raises(NotADirectoryError):
        home.open("file/inside", "wb")
    gc.collect()
    assert not [each for each in recwarn if "never closed" in str(each.message)]
