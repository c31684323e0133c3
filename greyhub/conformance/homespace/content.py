"""HOME-001 to 008: what is written is what is read."""

from __future__ import annotations

import io
from collections.abc import Callable

from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.homespace.case import Backend, Home, HomespaceCase
from greyhub.conformance.record import shorten


@clause("HOME-001", MUST, hooks="raw", guards="data")
def content_agrees(case: HomespaceCase) -> None:
    """What is written is read again, and the backend holds the same bytes.

    Files are written by pipe_file(), open() and put_file(), at the root and two
    folders below; cat_file(), cat(), open(), get_file(), exists(), isfile(),
    isdir(), info(), size(), ls() and glob() must agree about them. What a name
    ends in means nothing.
    """
    home, backend = case.home(), case.backend()
    content = bytes(range(256)) * 5 + b"\r\n\x00\xff"
    files = {"one.bin": content, "a/b/two.bin": content[::-1], "a/data.csv.gz": content * 2}
    for write, (path, expected) in zip(
        (home.pipe_file, home.write, home.put), files.items(), strict=True
    ):
        write(path, expected)
    for path, expected in files.items():
        case.equal(backend.get(path), expected, f"for {path} the backend holds")
        case.require(home.cat_file(path) == expected, f"cat_file({path!r}) is not what was written")
        case.require(home.read(path) == expected, f"open({path!r}) does not read what was written")
        case.require(home.exists(path), f"exists({path!r}) is false")
        case.require(home.isfile(path) and not home.isdir(path), f"{path} is not told as a file")
        case.require(home.size(path) == len(expected), f"size({path!r}) = {home.size(path)}")
        info = home.info(path)
        said = (info.get("name"), info.get("size"), info.get("type"))
        case.require(said == (path, len(expected), "file"), f"info({path!r}) says {info}")
        got = case.directory / "got"
        home.get_file(path, str(got))
        case.require(got.read_bytes() == expected, f"get_file({path!r}) is not what was written")
    case.require(home.cat(list(files)) == files, "cat() of several is not what was written")
    case.equal(home.names("a/b"), ["a/b/two.bin"], "ls('a/b') gives")
    [listed] = home.ls("a/b", detail=True)
    case.require(
        (listed["name"], listed["size"], listed["type"]) == ("a/b/two.bin", len(content), "file"),
        f"ls('a/b', detail=True) gives {listed}",
    )
    root = {
        entry["name"]: entry["size"] if entry["type"] == "file" else entry["type"]
        for entry in home.ls("", detail=True)
    }
    expected_root = {"one.bin": len(content), "a": "directory"}
    case.require(root == expected_root, f"the root holds {root}, not {expected_root}")
    for pattern, matching in (("*.bin", ["one.bin"]), ("a/*/t*.bin", ["a/b/two.bin"])):
        case.equal(home.glob(pattern), matching, f"glob({pattern!r}) gives")
    case.require(home.isdir("a") and not home.isfile("a"), "the folder a is not told as one")


@clause("HOME-002", MUST)
def missing_is_not_found(case: HomespaceCase) -> None:
    """A path that is not there raises FileNotFoundError: cat, open, info, cp, rm and ls.

    At the root, in a folder that is there, in one that is not, and where a longer
    name begins so.

    Seen: s3fs 2026.9.0: rm_file of a missing key does not raise
    """
    home = case.home()
    home.pipe_file("here/file", b"1")
    for path in ("gone", "here/gone", "gone/gone", "her", "here/fil"):
        for call in (home.cat_file, home.read, home.info, home.rm_file, home.rm, home.ls):
            case.raises(FileNotFoundError, call, path)
        case.raises(FileNotFoundError, home.cp_file, path, "copy")
        for name in (path, "copy"):
            case.require(not home.exists(name), f"exists({name!r}) is true")


@clause("HOME-003", MUST, hooks="raw")
def empty_files(case: HomespaceCase) -> None:
    """A file of no bytes is a file, made by pipe_file, put_file or by open and close.

    Seen: adlfs#81 https://github.com/fsspec/adlfs/issues/81
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("piped", b"")
    with home.open("opened", "wb"):
        pass
    with home.open("flushed", "wb") as file:
        file.write(b"")
        file.flush()
    home.put("put", b"")
    names = home.names()
    case.require(names == ["flushed", "opened", "piped", "put"], f"ls gives {names}")
    for path in names:
        case.require(backend.get(path) == b"", f"{path} is not an empty file in the backend")
        case.require(home.exists(path) and home.isfile(path), f"{path} is not told as a file")
        case.require(home.info(path)["size"] == 0, f"info({path!r}) says {home.info(path)}")
        case.require(home.cat_file(path) == b"", f"cat_file({path!r}) is not empty")
        case.require(home.read(path) == b"", f"open({path!r}) does not read nothing")
        part = home.cat_file(path, start=0, end=10)
        case.require(part == b"", f"the first ten bytes of {path!r} are {part!r}")


@clause("HOME-004", MUST, hooks="raw", guards="data")
def large_files(case: HomespaceCase) -> None:
    """A large file, written in odd parts, is read whole, in parts and from its end.

    24 MiB unless the suite says more; and sizes one less and one more than a block,
    which are copied, moved, put and got, too. What is written may be a buffer that is
    used again.

    Seen: adlfs#154 https://github.com/fsspec/adlfs/issues/154: exactly one block
    Seen: s3fs#65 https://github.com/fsspec/s3fs/issues/65
    """
    home, backend = case.home(), case.backend()
    size = case.suite.large + 3
    unit = case.bytes(2**20 + 7)
    content = (unit * (size // len(unit) + 1))[:size]
    case.did(f"write {size} bytes in odd parts")
    with home.open("large", "wb") as file:
        at = 0
        while at < size:
            step = case.random.choice((1, 65537, 2**20 - 1, 2**22 + 1))
            part = bytearray(content[at : at + step])
            file.write(part)
            part[:] = bytes(len(part))
            at += step
    case.require(home.size("large") == size, f"size is {home.size('large')}, not {size}")
    case.require(backend.peek("large") == content, "the backend does not hold what was written")
    with home.open("large", "rb") as file:
        for at, length in ((0, 10), (size // 2, 2**16), (5 * 2**20 - 3, 7), (size - 5, 5)):
            file.seek(at)
            case.equal(file.read(length), content[at : at + length], f"at {at} it reads")
            case.require(file.tell() == at + length, f"tell() is not {at + length} after reading")
        file.seek(at := 5 * 2**20)
        line, ends = file.readline(), content.index(b"\n", at) + 1
        case.require(line == content[at:ends], f"the line at {at} is read as {shorten(line)}")
        buffer = bytearray(2000)
        file.seek(0)
        length = file.readinto(buffer)
        case.require(buffer[:length] == content[:length], "readinto() gives something else")
        file.seek(-9, 2)
        case.require(file.read() == content[-9:], "the last nine bytes are not what was written")
        file.seek(0)
        case.require(file.read() == content, "the whole is not what was written")
    parts = ((-7, None), (3, 11), (0, -3), (size - 4, size + 100), (0, 0), (5, 5), (size, None))
    for start, end in parts:
        part = home.cat_file("large", start=start, end=end)
        case.require(part == content[start:end], f"cat_file from {start} to {end}: {shorten(part)}")
    block = 5 * 2**20
    for odd in (block - 1, block, block + 1):
        with home.open("block", "wb", block_size=block) as file:
            file.write(content[:odd])
        case.equal(backend.peek("block"), content[:odd], f"of {odd} bytes the backend holds")
    _transferred(case, home, backend, content[: block + 1])


def _transferred(case: HomespaceCase, home: Home, backend: Backend, content: bytes) -> None:
    """What is longer than a block arrives whole, wherever it goes."""
    got = case.directory / "got"
    home.get_file("block", str(got))
    case.require(got.read_bytes() == content, "get_file() has not brought the whole")
    home.put("put", content)
    home.cp_file("put", "copied")
    for path in ("put", "copied"):
        case.equal(backend.peek(path), content, f"of {len(content)} bytes that are {path}:")
    home.mv("copied", "moved")
    case.equal(backend.peek("moved"), content, f"of {len(content)} bytes that are moved:")


@clause("HOME-005", MUST, hooks="raw", guards="data")
def overwriting_truncates(case: HomespaceCase) -> None:
    """A file overwritten with less holds the new content alone, also if that is nothing.

    By pipe_file, pipe, put_file, cp_file, and open, for bytes and for text.
    """
    home, backend = case.home(), case.backend()

    def copy(path: str, content: bytes) -> None:
        home.pipe_file("source", content)
        home.cp_file("source", path)

    for number, (way, write) in enumerate({**home.ways(), "cp_file": copy}.items()):
        path = f"file{number}"
        for content in (b"short", b""):
            home.pipe_file(path, b"long" * 1000)
            write(path, content)
            case.equal(backend.get(path), content, f"overwritten by {way}, {path} is")
            case.require(home.cat_file(path) == content, f"cat_file({path!r}) is not {content!r}")
            case.equal(home.size(path), len(content), f"size({path!r}) is")


@clause("HOME-006", MUST, needs="append", hooks="raw", guards="data", refusal=True)
def append_adds(case: HomespaceCase) -> None:
    """Mode ``ab`` adds to a file, makes one, and never overwrites; many times over.

    So does ``a``, for text; and what is added to is the file as it is now.
    An adapter that declines to append refuses it, and leaves the file as it is.
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("log", b"begin\n")
    if not case.claims("append"):
        error = case.raises(Exception, home.write, "log", b"more\n", "ab")
        case.require(backend.get("log") == b"begin\n", "the refusal to append changed the file")
        case.require(home.cat_file("log") == b"begin\n", "after the refusal the file is not read")
        case.advise(
            isinstance(error, NotImplementedError | io.UnsupportedOperation),
            f"append is refused by {type(error).__name__}, not by NotImplementedError",
        )
        return
    expected = b"begin\n"
    for number in range(30):
        line = f"line {number}\n".encode()
        home.write("log", line, "ab")
        expected += line
    case.require(backend.get("log") == expected, "the backend does not hold all that was added")
    case.require(home.cat_file("log") == expected, "cat_file does not give all that was added")
    home.write("new", b"first", "ab")
    case.require(backend.get("new") == b"first", "ab did not make the file")
    home.write("new", ", second", "a")
    case.require(backend.get("new") == b"first, second", "mode a did not add to the file")
    backend.put("log", b"another's")
    home.write("log", b", added", "ab")
    case.equal(backend.get("log"), b"another's, added", "added to what another client wrote:")
    large = case.bytes(6 * 2**20)
    home.pipe_file("large", large)
    with home.open("large", "ab") as file:
        case.require(file.tell() in (0, len(large)), f"tell() is {file.tell()} at the begin")
        file.write(b"x")
        file.write(b"y")
    case.require(backend.peek("large") == large + b"xy", "a large file was not added to")


@clause("HOME-007", MUST, needs="exclusive_create", hooks="raw", guards="data", refusal=True)
def exclusive_create_refuses(case: HomespaceCase) -> None:
    """Modes ``xb``, ``x`` and ``mode="create"`` make a file, and fail if it is there.

    An adapter that declines them refuses each, and leaves the file as it is.
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("there", b"old")

    def piped(path: str) -> None:
        home.pipe_file(path, b"new", mode="create")

    def opened(path: str) -> None:
        home.write(path, b"new", "xb")

    def as_text(path: str) -> None:
        home.write(path, "new", "x")

    for write in (piped, opened, as_text):
        if not case.claims("exclusive_create"):
            error = case.raises(Exception, write, "there")
            refused = (NotImplementedError, io.UnsupportedOperation, FileExistsError)
            case.advise(
                isinstance(error, refused),
                f"{write.__name__}: refused by {type(error).__name__}, not NotImplementedError",
            )
        else:
            case.raises(FileExistsError, write, "there")
            path = f"new-{write.__name__}"
            write(path)
            case.require(backend.get(path) == b"new", f"{path} was not made")
            case.raises(FileExistsError, _together, home, write)
        case.require(backend.get("there") == b"old", "the file that was there was overwritten")


def _together(home: Home, write: Callable[[str], None]) -> None:
    with home.transaction():
        write("there")


@clause("HOME-008", SHOULD)
def text_is_preserved(case: HomespaceCase) -> None:
    """Text keeps its newlines and its encoding."""
    home = case.home()
    text = "naïve, 日本, 🦊\nunix\r\nwindows\rmac\n"
    for encoding in ("utf-8", "utf-16", "utf-8-sig"):
        home.write("text", text, "w", encoding=encoding, newline="")
        case.equal(home.cat_file("text"), text.encode(encoding), f"{encoding}: the file holds")
        read = home.read("text", "r", encoding=encoding, newline="")
        case.require(read == text, f"{encoding}: what is read is {read!r}")
    home.write_text("text", text, encoding="utf-8", newline="")
    case.equal(home.read_text("text", encoding="utf-8", newline=""), text, "read_text gives")
    lines = list(io.StringIO(home.read("text", "r", encoding="utf-8")))
    case.require(lines[1:3] == ["unix\n", "windows\n"], f"lines are read as {lines}")
