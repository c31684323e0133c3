"""HOME-012, 013, 043: several clients at one time, with interleavings that are forced."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import Home, HomespaceCase, OtherProcess
from greyhub.conformance.record import shorten

Creating = Callable[[Any, str, bytes], None]

ONE, TWO = b"1 one " * 400, b"2 two " * 500


@clause("HOME-012", MUST, hooks="raw", guards="data", budget=20)
def one_writer_wins(case: HomespaceCase) -> None:
    """Of two writers at one time, one whole version wins, and nothing else is left.

    The second writes the same file, and then others beside it and of the same name
    in another folder, while the first is stopped, at each of its steps in turn. It
    is a client of this process, and one of another. And two files are open for
    writing at once and written in turns.
    """
    apart = case.other_process()
    one, two, backend = case.home(proxied=True), case.home(), case.backend()
    versions: dict[str, tuple[bytes, ...]]
    versions = {"same": (ONE, TWO), "apart": (ONE, TWO), "turns": (ONE, TWO)}
    versions |= {"first": (ONE,), "beside": (TWO,), "else/first": (TWO,)}
    paths = {"turns"}

    def others(number: int) -> None:
        for name in ("beside", "else/first"):
            two.pipe_file(f"{name}{number}", TWO)

    def judge(name: str, number: int | str = "") -> None:
        held = backend.peek(f"{name}{number}")
        case.require(held in versions[name], f"{name}{number} is {shorten(held)}, nobody's version")
        paths.add(f"{name}{number}")

    # Both processes have written as many files as the other, if anything counts them.
    apart.pipe_file("apart0", TWO)
    for names, second in (
        (("apart",), partial(_write, apart.pipe_file, "apart", TWO)),
        (("same",), partial(_write, two.pipe_file, "same", TWO)),
        (("first", "beside", "else/first"), others),
    ):
        where = " in another process" if names[0] == "apart" else ""
        case.did(f"at each step of who writes {names[0]}, let another{where} write {names[-1]}")
        for number, *outcomes in case.races(partial(_write, one.write, names[0], ONE), second):
            for outcome in outcomes:
                if outcome.error is not None:
                    raise outcome.error
            for name in names:
                judge(name, number)
        paths.add(f"{names[0]}0")
    for turn in (1, -1):
        files = [one.open("turns", "wb"), two.open("turns", "wb")]
        for part in range(2):
            for file, content in zip(files, (ONE, TWO), strict=True):
                half = len(content) // 2
                file.write(content[half:] if part else content[:half])
        for file in files[::turn]:
            file.close()
        judge("turns")
    left = backend.paths() - paths
    case.require(not left, f"the writers have left {sorted(left)}")


@clause("HOME-013", MUST, needs="exclusive_create", hooks="raw", guards="data", budget=20)
def one_creator_wins(case: HomespaceCase) -> None:
    """Of two clients that create one file at one time, exactly one wins, and the other is told.

    By ``mode="create"`` and by ``xb``, the second at each step of the first, in this
    process and in another.

    Seen: fsspec 2026.9.0: pipe_file(mode='create') looks, then writes (spec.py:870)
    """
    apart = case.other_process()
    one, two, backend = case.home(proxied=True), case.home(), case.backend()

    for name, a, b, other in (
        ("piped", _piped, _piped, two),
        ("opened", _opened, _opened, two),
        ("both", _opened, _piped, two),
        ("apart", _opened, _piped, apart),
    ):
        case.did(f"{name}: let a second client create a file at each step of a first one")
        for number, first, second in case.races(
            partial(_create, a, one, name, ONE), partial(_create, b, other, name, TWO)
        ):
            for loser in (first, second):
                if loser.error is not None and not isinstance(loser.error, FileExistsError):
                    raise loser.error
            path = f"{name}{number}"
            wins = first.won + second.won
            case.require(wins == 1, f"{path} has {wins} winners")
            held = backend.peek(path)
            expected = ONE if first.won else TWO
            case.require(held == expected, f"{path} is not its winner's: {shorten(held)}")


def _write(write: Callable[[str, bytes], None], name: str, content: bytes, number: int) -> None:
    write(f"{name}{number}", content)


def _piped(home: Home | OtherProcess, path: str, content: bytes) -> None:
    home.pipe_file(path, content, mode="create")


def _opened(home: Home, path: str, content: bytes) -> None:
    home.write(path, content, "xb")


def _create(how: Creating, home: Any, name: str, content: bytes, number: int) -> None:
    how(home, f"{name}{number}", content)


@clause("HOME-043", MUST, hooks="raw", budget=20)
def many_threads(case: HomespaceCase) -> None:
    """Sixteen threads with sixty-four operations each do not disturb one another.

    Each writes, reads, lists, moves and removes files of its own, and one that
    all write; on a slow backend they stop after two seconds.
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("shared", b"0" * 512)
    wrong: list[BaseException | str] = []
    done: list[int] = []
    end = time.monotonic() + 2 * case.patience

    def work(thread: int) -> None:
        fs, mine = home.fs, f"t{thread}"
        try:
            for number in range(16):
                content = f"{thread} {number} ".encode() * (50 + thread)
                fs.pipe_file(f"{mine}/a", content)
                with fs.open(f"{mine}/b", "wb") as file:
                    file.write(content[:10])
                    file.write(content[10:])
                fs.pipe_file("shared", bytes([65 + thread]) * 512)
                if (read := fs.cat_file(f"{mine}/a")) != content:
                    wrong.append(f"thread {thread} reads {shorten(read)}, not what it wrote")
                fs.mv(f"{mine}/b", f"{mine}/c")
                names = sorted(fs.ls(mine, detail=False))
                if names != [f"{mine}/a", f"{mine}/c"]:
                    wrong.append(f"thread {thread} sees {names} in its folder")
                fs.cat_file("shared")
                fs.rm_file(f"{mine}/c")
                done.append(8)
                if wrong or time.monotonic() > end:
                    return
        except BaseException as error:
            case.record.raised.append(error)
            wrong.append(error)

    case.did("sixteen threads with sixty-four operations each")
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    case.record.calling.append("an operation in one of sixteen threads")
    try:
        threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(16)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        case.record.calling.pop()  # what hangs stays among the calls
    finally:
        sys.setswitchinterval(before)
    case.saw(f"{sum(done)} operations were done")
    for first in wrong[:1]:
        if isinstance(first, BaseException):
            raise first
        case.fail(first)
    expected = {f"t{thread}/a" for thread in range(16)} | {"shared"}
    left = backend.paths() ^ expected
    case.require(not left, f"the threads have left {sorted(left)[:5]}")
