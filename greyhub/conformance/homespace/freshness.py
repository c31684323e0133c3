"""HOME-040, 041: listings are up to date."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import Home, HomespaceCase


@clause("HOME-040", MUST, hooks="raw", guards="data")
def others_writes_are_seen(case: HomespaceCase) -> None:
    """What another client writes, overwrites or removes is seen: ls, info, cat and open.

    At once, or within the seconds that are claimed with ``staleness``. The
    client has looked before, so that whatever it keeps is kept; what is overwritten
    has another size or the same, and some of it the client has written itself.

    Seen: s3fs#424 https://github.com/fsspec/s3fs/issues/424
    Seen: s3fs#657 https://github.com/fsspec/s3fs/issues/657
    """
    home, backend = case.home(), case.backend()
    backend.put("folder/file", b"first")
    backend.put("folder/other", b"other")

    def look() -> None:
        home.names("folder")
        home.names()
        home.find("")
        home.exists("folder/new")
        home.exists("folder/file")

    def within(what: str, seen: Callable[[], Any], expected: Any) -> None:
        deadline = time.monotonic() + float(case.claims("staleness") or 0) * case.patience
        while (found := seen()) != expected and time.monotonic() < deadline:
            time.sleep(0.05)
        case.require(found == expected, f"{what} gives {found!r}, not {expected!r}")

    look()
    case.require(home.read("folder/file") == b"first", "the file is not read")
    backend.put("folder/new", b"brand new")
    names = [f"folder/{name}" for name in ("file", "new", "other")]
    within("ls after another's write", lambda: home.names("folder"), names)
    within("exists", lambda: home.exists("folder/new"), True)
    within("cat", lambda: home.cat_file("folder/new"), b"brand new")
    within("find", lambda: sorted(home.find("folder")), names)
    look()
    backend.put("beside", b"at the root")
    within("ls of the root", home.names, ["beside", "folder"])
    within("find of all", lambda: sorted(home.find("")), ["beside", *names])
    for path, before in (("folder/file", b"first"), ("own", b"mine")):
        if path == "own":
            home.pipe_file(path, before)
        case.require(home.cat_file(path) == before, f"{path} is not read")
        backend.put(path, before[::-1])
        for what, read in (("cat", home.cat_file), ("open", home.read)):
            within(
                f"{what} of {path}, which is as long as before,", partial(read, path), before[::-1]
            )
    look()
    second = b"the second version"
    backend.put("folder/file", second)
    within("cat after another's overwrite", lambda: home.cat_file("folder/file"), second)
    within("open", lambda: home.read("folder/file"), second)
    within("info", lambda: home.info("folder/file")["size"], 18)
    sizes = [{"folder/file": 18, "folder/new": 9, "folder/other": 5}]
    within(
        "ls with details",
        lambda: [{each["name"]: each["size"] for each in home.ls("folder", detail=True)}],
        sizes,
    )
    look()
    backend.remove("folder/file")
    within("exists after another's removal", lambda: home.exists("folder/file"), False)
    within("ls", lambda: home.names("folder"), names[1:])
    case.raises(FileNotFoundError, home.cat_file, "folder/file")
    case.raises(FileNotFoundError, home.info, "folder/file")


@clause("HOME-041", MUST)
def own_listing_is_right(case: HomespaceCase) -> None:
    """After everything that a client does itself, its listings are right at once.

    Seen: s3fs#903 https://github.com/fsspec/s3fs/issues/903
    Seen: s3fs#260 https://github.com/fsspec/s3fs/issues/260
    """
    home = case.home()
    expected: set[str] = set()

    def now(what: str, *, add: str = "", remove: str = "") -> None:
        expected.update(add.split())
        expected.difference_update(remove.split())
        _compare(case, home, what, expected)

    home.pipe_file("a", b"1")
    now("pipe_file", add="a")
    home.write("d/b", b"22")
    now("open", add="d/b")
    home.pipe({"d/c": b"3", "d/e/f": b"4"})
    now("pipe of several", add="d/c d/e/f")
    home.cp_file("a", "d/copy")
    now("cp_file", add="d/copy")
    home.mv("d/copy", "d/e/moved")
    now("mv", add="d/e/moved", remove="d/copy")
    home.touch("d/touched")
    now("touch", add="d/touched")
    local = case.directory / "local"
    local.write_bytes(b"local")
    home.put_file(str(local), "d/put")
    now("put_file", add="d/put")
    home.cp("d/e", "copied", recursive=True)
    now("cp of a folder", add="copied/f copied/moved")
    case.require(home.cat_file("copied/f") == b"4", "cp of a folder has not copied what is in it")
    home.rm_file("d/b")
    now("rm_file", remove="d/b")
    home.rm(["d/c", "d/put"])
    now("rm of several", remove="d/c d/put")
    home.pipe_file("a", b"longer now")
    case.require(home.info("a")["size"] == 10, f"after an overwrite, info says {home.info('a')}")
    [size] = [each["size"] for each in home.ls("", detail=True) if each["name"] == "a"]
    case.require(size == 10, f"after an overwrite, ls says {size} bytes")
    _large_steps(case, home, now)
    home.rm("d", recursive=True)
    now("rm of a folder", remove="d/e/f d/e/moved d/touched")
    home.pipe_file("d/again", b"1")
    now("pipe_file into a folder that was removed", add="d/again")


def _large_steps(case: HomespaceCase, home: Home, now: Callable[..., None]) -> None:
    """Those that change more than one file, or a part of one."""
    if case.claims("append"):
        home.write("a", b", and longer", "ab")
        [size] = [each["size"] for each in home.ls("", detail=True) if each["name"] == "a"]
        case.require(size == 22, f"after it was added to, ls says {size} bytes")
    with home.transaction():
        home.write("t/one", b"1")
        home.write("t/two", b"2")
    now("a transaction", add="t/one t/two")
    if case.claims("directories"):
        home.mv("t", "u", recursive=True)
        now("mv of a folder", add="u/one u/two", remove="t/one t/two")


def _compare(case: HomespaceCase, home: Home, what: str, expected: set[str]) -> None:
    found = set(home.find(""))
    case.require(found == expected, f"after {what}, find differs by {sorted(found ^ expected)}")
    folders: dict[str, set[str]] = {"": set()}
    for path in expected:
        parts = path.split("/")
        for depth in range(len(parts)):
            folder = "/".join(parts[:depth])
            folders.setdefault(folder, set()).add("/".join(parts[: depth + 1]))
    for folder, names in folders.items():
        listed = set(home.ls(folder, detail=False))
        wrong = sorted(listed ^ names)
        case.require(listed == names, f"after {what}, ls({folder!r}) differs by {wrong}")
    walked = {f"{at}/{each}".lstrip("/") for at, _, files in home.walk("") for each in files}
    case.require(walked == expected, f"after {what}, walk gives {sorted(walked)}")
