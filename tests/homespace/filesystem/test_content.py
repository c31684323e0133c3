"""What is written is what is on the store, and what is read."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import random
from pathlib import Path

import pytest

from greyhub.homespace.filesystem import Home
from tests.homespace.filesystem.places import Place


def test_writing_and_reading_agree_with_the_store(place: Place, home: Home) -> None:
    home.pipe("a/b.txt", b"hello")
    assert place.read("a/b.txt") == b"hello"
    assert home.cat("a/b.txt") == b"hello"
    assert home.exists("a/b.txt")
    assert home.isfile("a/b.txt")
    assert home.isdir("a")
    assert home.size("a/b.txt") == 5
    assert home.ls("a", detail=False) == ["a/b.txt"]
    [entry] = home.ls("a")
    assert entry == home.info("a/b.txt")
    assert entry["name"] == "a/b.txt"
    assert (entry["size"], entry["type"]) == (5, "file")
    assert [each["type"] for each in home.ls("")] == ["directory"]
    assert place.names() == {"a/b.txt"}


def test_what_another_tool_wrote_is_read(place: Place, home: Home) -> None:
    place.write("from/elsewhere", b"content")
    assert home.cat("from/elsewhere") == b"content"
    assert home.find("") == ["from/elsewhere"]


def test_a_missing_file_is_an_error(home: Home) -> None:
    home.pipe("there", b"1")
    calls = (home.cat, home.info, home.rm_file, home.rm, home.ls, home.rmdir, home.open)
    for call in calls:
        for name in ("nothing", "no/thing", "the"):
            with pytest.raises(FileNotFoundError):
                call(name)
    for name in ("nothing", "no/thing", "the"):
        assert not home.exists(name)
        assert not home.isdir(name)
        assert not home.isfile(name)
        assert home.find(name) == []
    assert home.find("") == ["there"]


def test_empty_files(place: Place, home: Home) -> None:
    home.pipe("piped", b"")
    with home.open("opened", "wb"):
        pass
    home.touch("touched")
    for name in ("piped", "opened", "touched"):
        assert place.read(name) == b""
        assert home.cat(name) == b""
        assert home.info(name)["size"] == 0
        with home.open(name) as file:
            assert file.read() == b""


def test_big_files_in_odd_pieces(place: Place, home: Home) -> None:
    content = random.Random(4).randbytes(24 * 2**20 + 17)
    with home.open("big", "wb") as file:
        at, step = 0, 1
        while at < len(content):
            file.write(content[at : at + step])
            at, step = at + step, min(step * 7 + 3, 3_000_001)
    assert digest(place.read("big")) == digest(content)
    assert home.size("big") == len(content)
    with home.open("big") as file:
        assert file.size == len(content)
        file.seek(5 * 2**20 - 1)
        assert file.read(3) == content[5 * 2**20 - 1 : 5 * 2**20 + 2]
        file.seek(-7, 2)
        assert file.read() == content[-7:]
        file.seek(0)
        assert digest(file.read()) == digest(content)
    assert home.tail("big", 10) == content[-10:]
    assert home.head("big", 10) == content[:10]
    assert home.cat_file("big", -20, -5) == content[-20:-5]
    assert home.cat_file("big", 10**6, 10**6 + 9) == content[10**6 : 10**6 + 9]
    assert home.cat_ranges(["big", "big"], [0, 7], [3, 9]) == [content[:3], content[7:9]]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_sizes_around_a_block(place: Place, home: Home, more: int) -> None:
    content = os.urandom(home.store.block + more)
    home.pipe("one", content)
    assert home.cat("one") == content
    with home.open("two", "wb") as file:
        file.write(content)
    with home.open("two") as file:
        assert b"".join(iter(lambda: file.read(2**20), b"")) == content
    assert place.read("two") == content


@pytest.mark.parametrize("place", ["local", "memory"], indirect=True)
def test_lines(home: Home) -> None:
    lines = [f"{n} {'x' * (n % 50)}\n".encode() for n in range(2000)]
    home.pipe("lines", b"".join(lines))
    with home.open("lines", block_size=1000) as file:
        assert list(file) == lines
    with home.open("lines", "r") as text:
        assert text.readline() == "0 \n"
        assert len(text.readlines()) == 1999


def test_a_shorter_file_replaces_all_of_a_longer_one(place: Place, home: Home) -> None:
    home.pipe("f", b"a long content")
    home.pipe("f", b"short")
    assert place.read("f") == b"short"
    with home.open("f", "wb") as file:
        file.write(b"1")
    assert place.read("f") == b"1"


def test_append(place: Place, home: Home) -> None:
    if "append" not in home.can:
        home.pipe("log", b"kept")
        for mode in ("ab", "a"):
            with pytest.raises(NotImplementedError, match="append"):
                home.open("log", mode)
            with pytest.raises(NotImplementedError, match="append"):
                home.open("new", mode)
        assert place.names() == {"log"}
        assert place.read("log") == b"kept"
        return
    for n in range(20):
        with home.open("log", "a") as file:
            file.write(f"{n}\n")
    assert place.read("log") == "".join(f"{n}\n" for n in range(20)).encode()
    with home.open("log", "ab") as file:
        assert file.tell() == len(place.read("log"))
    with pytest.raises(RuntimeError):
        half(home, "log", "ab")
    assert place.read("log").endswith(b"\n19\n")
    home.mkdir("d")
    with pytest.raises(IsADirectoryError), home.open("d", "ab") as file:
        file.write(b"1")


def test_exclusive_creation(place: Place, home: Home) -> None:
    home.pipe("there", b"old")
    if "exclusive_create" not in home.can:
        for name in ("there", "new"):
            with pytest.raises(NotImplementedError, match="exclusive_create"):
                home.open(name, "xb")
            with pytest.raises(NotImplementedError, match="exclusive_create"):
                home.pipe_file(name, b"new", mode="create")
        assert place.names() == {"there"}
        assert place.read("there") == b"old"
        return
    with pytest.raises(FileExistsError):
        home.open("there", "xb")
    with pytest.raises(FileExistsError):
        home.pipe_file("there", b"new", mode="create")
    with home.open("new", "x") as file:
        file.write("mine")
        assert not home.exists("new")
    assert place.read("new") == b"mine"
    home.pipe_file("d/e", b"1", mode="create")
    with pytest.raises(FileExistsError):
        home.pipe_file("d", b"new", mode="create")
    assert place.read("there") == b"old"


def test_exclusive_creation_is_decided_when_the_file_is_closed(place: Place, home: Home) -> None:
    if "exclusive_create" not in home.can:
        pytest.skip("declined: test_exclusive_creation")
    file = home.open("f", "xb")
    file.write(b"late")
    place.write("f", b"first")
    with pytest.raises(FileExistsError):
        file.close()
    assert place.read("f") == b"first"
    assert place.names() == {"f"}


@pytest.mark.parametrize("place", ["local", "memory"], indirect=True)
def test_text_keeps_its_newlines_and_its_encoding(place: Place, home: Home) -> None:
    text = "Grüße\r\nzwei\ndrei\r"
    with home.open("t", "w", encoding="utf-16", newline="") as file:
        file.write(text)
    assert place.read("t") == text.encode("utf-16")
    assert home.read_text("t", encoding="utf-16", newline="") == text
    home.write_text("u", "ä\n", encoding="latin-1")
    assert place.read("u") == b"\xe4\n"


@pytest.mark.parametrize("place", ["local", "memory"], indirect=True)
def test_compression(place: Place, home: Home) -> None:
    import gzip

    with home.open("a.gz", "wt", compression="infer") as file:
        file.write("packed")
    assert gzip.decompress(place.read("a.gz")) == b"packed"
    with home.open("a.gz", "rt", compression="infer") as file:
        assert file.read() == "packed"
    with pytest.raises(RuntimeError):
        half(home, "b.gz", "wb", compression="gzip")
    assert place.names() == {"a.gz"}


@pytest.mark.parametrize("place", ["local", "memory"], indirect=True)
def test_a_file_is_written_anywhere_before_it_is_closed(place: Place, home: Home) -> None:
    import zipfile

    with home.open("f", "wb") as file:
        file.write(b"0123456789")
        file.seek(2)
        file.write(b"xx")
        file.seek(0, 2)
        assert file.tell() == 10
        file.truncate(6)
    assert place.read("f") == b"01xx45"
    with home.open("z.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("inner", "content")
    with zipfile.ZipFile(io.BytesIO(place.read("z.zip"))) as archive:
        assert archive.read("inner") == b"content"


@pytest.mark.parametrize("place", ["local", "memory"], indirect=True)
@pytest.mark.parametrize("mode", ["r+b", "w+b", "rb+", "z"])
def test_other_modes_are_refused(home: Home, mode: str) -> None:
    home.pipe("f", b"1")
    with pytest.raises((NotImplementedError, ValueError)):
        home.open("f", mode)
    assert home.cat("f") == b"1"


def test_files_and_directories_do_not_replace_each_other(place: Place, home: Home) -> None:
    home.pipe("f", b"file")
    home.pipe("d/x", b"in it")
    home.mkdir("empty")
    for name in ("d", "empty"):
        with pytest.raises(IsADirectoryError):
            home.pipe(name, b"1")
        with pytest.raises((IsADirectoryError, FileExistsError, PermissionError)):
            home.cp_file("f", name)
        with pytest.raises(IsADirectoryError):
            home.cat(name)
        with pytest.raises(IsADirectoryError):
            home.rm_file(name)
        with pytest.raises(IsADirectoryError):
            home.rm(name)
    for call in (lambda: home.pipe("f/x", b"1"), lambda: home.mkdir("f/x")):
        with pytest.raises(NotADirectoryError):
            call()
    with pytest.raises(NotADirectoryError):
        home.rmdir("f")
    with pytest.raises(FileExistsError):
        home.mkdir("f")
    with pytest.raises(FileExistsError):
        home.makedirs("f", exist_ok=True)
    assert place.names() == {"f", "d/x"}
    assert place.read("f") == b"file"


def test_directories(home: Home) -> None:
    home.mkdir("a/b")
    assert home.isdir("a/b")
    assert home.ls("a/b") == []
    assert [each["name"] for each in home.ls("a")] == ["a/b"]
    with pytest.raises(FileExistsError):
        home.mkdir("a/b")
    home.makedirs("a/b", exist_ok=True)
    with pytest.raises(FileNotFoundError):
        home.mkdir("x/y", create_parents=False)
    assert not home.exists("x")
    home.pipe("a/b/f", b"1")
    with pytest.raises(OSError, match="not empty") as found:
        home.rmdir("a/b")
    assert found.value.errno == errno.ENOTEMPTY
    home.rm("a/b/f")
    home.rmdir("a/b")
    assert not home.exists("a/b")


def test_the_home_itself_stays(home: Home) -> None:
    home.pipe("f", b"1")
    for call in (home.rm, home.rmdir, home.rm_file, lambda root: home.rm(root, recursive=True)):
        for root in ("", "/", "./"):
            with pytest.raises(PermissionError):
                call(root)
    with pytest.raises(PermissionError):
        home.mv("", "elsewhere")
    assert home.find("") == ["f"]
    assert home.isdir("")


def test_touch(home: Home) -> None:
    home.pipe("f", b"kept")
    before = home.info("f")["mtime"]
    if "touch" in home.can:
        home.touch("f", truncate=False)
        assert home.info("f")["mtime"] >= before
    else:
        with pytest.raises(NotImplementedError, match="touch"):
            home.touch("f", truncate=False)
    assert home.cat("f") == b"kept"
    home.touch("new", truncate=False)
    assert home.cat("new") == b""
    home.touch("f")
    assert home.cat("f") == b""


def test_a_full_or_closed_store_keeps_the_old_file(
    place: Place, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.pipe("f", b"old")
    full = OSError(errno.ENOSPC, "No space left on device")

    def no_room(*args: object, **kwargs: object) -> None:
        raise full

    monkeypatch.setattr(type(home.store), "put", no_room)
    monkeypatch.setattr(type(home.store), "publish", no_room)
    with pytest.raises(OSError, match="No space"):
        home.pipe("f", b"new")
    with pytest.raises(OSError, match="No space"), home.open("f", "wb") as file:
        file.write(b"new")
    assert place.read("f") == b"old"
    assert place.names() == {"f"}


def test_a_disk_that_is_full_keeps_the_old_file(tmp_path: Path) -> None:
    import resource

    home = Home(str(tmp_path))
    home.pipe("f", b"old")
    home.pipe("log", b"line\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            home.pipe("f", bytes(2**21))
        with pytest.raises(OSError, match="too large"), home.open("f", "wb") as file:
            file.write(bytes(2**21))
        with pytest.raises(OSError, match="too large"), home.open("log", "ab") as file:
            file.write(bytes(2**20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "f").read_bytes() == b"old"
    assert (tmp_path / "log").read_bytes() == b"line\n"
    assert sorted(os.listdir(tmp_path)) == ["f", "log"]


def half(home: Home, name: str, mode: str, **options: str) -> None:
    with home.open(name, mode, **options) as file:
        file.write(b"half")
        raise RuntimeError


def digest(content: bytes | None) -> str:
    assert content is not None
    return hashlib.sha256(content).hexdigest()
