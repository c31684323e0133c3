"""HOME-014 to 016: mv of files and directories."""

from __future__ import annotations

from contextlib import suppress

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import Backend, Home, HomespaceCase
from greyhub.conformance.record import shorten

TREE = {"d/one": b"1", "d/sub/two": b"22", "d/sub/deep/three": b"333"}
BESIDE = {"dd/one": b"dd", "d.txt": b"text", "e/d/one": b"e"}


@clause("HOME-014", MUST, hooks="raw", guards="data")
def moving_a_file(case: HomespaceCase) -> None:
    """mv moves a file: the content arrives, the source goes, a target is replaced.

    If there is no source it raises FileNotFoundError and makes nothing. Files whose
    names begin alike stay; and a file that is moved or copied onto itself, which may
    be refused, stays what it is.
    """
    home, backend = case.home(), case.backend()
    beside = {"a.bak": b"beside", "a2": b"beside"}
    for path, content in beside.items():
        home.pipe_file(path, content)
    home.pipe_file("a", b"content of a")
    home.mv("a", "folder/b")
    home.pipe_file("target", b"the file that is replaced, which is longer")
    case.require(backend.get("folder/b") == b"content of a", "mv has not brought the content")
    case.require(backend.get("a") is None and not home.exists("a"), "mv has left the source")
    home.mv("folder/b", "target")
    case.equal(backend.get("target"), b"content of a", "the target that was there is")
    before = backend.content()
    expected = {"target": b"content of a", **beside}
    case.require(before == expected, f"there is {sorted(before)}")
    for move in (home.mv, home.cp_file):
        with suppress(Exception):
            move("target", "target")
        held = backend.get("target")
        left = "nothing" if held is None else shorten(held)
        case.require(held == b"content of a", f"{move.__name__} of a file onto itself left {left}")
    for target in ("made", "target", "new/made"):
        case.raises(FileNotFoundError, home.mv, "gone", target)
    case.equal(backend.content(), before, "mv of what is not there has left")


@clause("HOME-015", MUST, needs="directories", hooks="raw", guards="data", refusal=True)
def moving_a_directory(case: HomespaceCase) -> None:
    """mv moves a directory with all that it holds, and nothing that is only named alike.

    An adapter that declines directories refuses it, and leaves all as it was.

    Seen: adlfs#541 https://github.com/fsspec/adlfs/pull/541
    """
    home, backend = case.home(), case.backend()
    for path, content in {**TREE, **BESIDE}.items():
        home.pipe_file(path, content)
    if not case.claims("directories"):
        case.raises(Exception, lambda: home.mv("d", "moved", recursive=True))
        case.require(backend.content() == {**TREE, **BESIDE}, "the refused mv changed something")
        return
    home.mv("d", "moved", recursive=True)
    moved = {f"moved{path[1:]}": content for path, content in TREE.items()}
    case.equal(backend.content(), {**moved, **BESIDE}, "after mv there is")
    case.require(not home.exists("d"), "the folder that was moved still exists")
    case.equal(sorted(home.find("moved")), sorted(moved), "find in the moved folder gives")


@clause("HOME-016", MUST, hooks="raw", guards="data")
def a_failed_move_keeps_the_source(case: HomespaceCase) -> None:
    """An mv that fails keeps its source, and no path is ever both a file and a directory.

    Below a file, into itself, onto a folder that holds something, which may also mean
    into it; and, where there is a network, with the backend refusing one half of it.
    """
    home, backend = case.home(proxied=True), case.backend()
    everything = {"file": b"f", "blocker": b"b", "folder/inner": b"i"}
    for path, content in everything.items():
        home.pipe_file(path, content)

    def below() -> None:
        home.mv("file", "blocker/file")

    def into_itself() -> None:
        home.mv("file", "file/file")

    def written_below() -> None:
        home.write("blocker/new", b"n")

    def piped_below() -> None:
        home.pipe_file("blocker/new", b"n")

    def copied_below() -> None:
        home.cp_file("file", "blocker/copy")

    def put_below() -> None:
        home.put("blocker/put", b"n")

    def onto_folder() -> None:
        home.pipe_file("folder", b"n")

    def written_onto_folder() -> None:
        home.write("folder", b"n")

    for act in (below, into_itself, written_below, piped_below, copied_below, put_below,
                onto_folder, written_onto_folder):  # fmt: skip
        case.raises(OSError, act)
        case.equal(backend.content(), everything, f"after {act.__name__} there is")
    _onto_folder(case, home, backend)
    if case.claims("directories"):
        case.raises(OSError, lambda: home.mv("folder", "folder/sub", recursive=True))
        case.equal(backend.content(), everything, "folder moved into itself: there is")
    if case.claims("remote"):
        _half_refused(case, backend)


def _onto_folder(case: HomespaceCase, home: Home, backend: Backend) -> None:
    """Refused, or taken for into it, as a shell does: in no case is anything lost."""
    before = backend.content()
    for act in (home.mv, home.cp_file):
        with suppress(OSError):
            act("file", "folder")
        held = backend.content()
        lost = sorted(set(before.values()) - set(held.values()))
        case.require(not lost, f"{act.__name__} onto a folder has lost what was {lost}")
        case.require("folder" not in held, f"after {act.__name__} the folder is a file, too")
        for path in held.keys() - before.keys():
            backend.remove(path)
        backend.put("file", before["file"])


def _half_refused(case: HomespaceCase, backend: Backend) -> None:
    home = case.home(proxied=True)
    for number, moment in enumerate(("write", "delete", "any")):
        source, target = f"source{number}", f"target{number}"
        backend.put(source, b"precious")
        with case.fault("rejected", moment), suppress(OSError):
            home.mv(source, target)
        have = [backend.get(path) for path in (source, target)]
        case.require(b"precious" in have, f"mv, refused at {moment}, has lost the file")
        if case.claims("directories") and moment != "any":
            for name in ("one", "two", "three"):
                backend.put(f"from{number}/{name}", name.encode())
            with case.fault("rejected", moment, times=1), suppress(OSError):
                home.mv(f"from{number}", f"to{number}", recursive=True)
            for name in ("one", "two", "three"):
                have = [backend.get(f"{where}{number}/{name}") for where in ("from", "to")]
                lost = name.encode() not in have
                case.require(not lost, f"mv of a folder, refused once at {moment}, has lost {name}")
