"""What people and their tools do in a home, one function each: all of it must just work.

Each works in a folder of its own, and says by an assertion that it saw what it did.
`CHECKS` are for the same folders on another machine.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.support.waiting import MINUTE

Act = Callable[[Path], None]
OPERATIONS: dict[str, Act] = {}
CHECKS: dict[str, Act] = {}

GIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]


def operation(act: Act) -> Act:
    OPERATIONS[act.__name__] = act
    return act


def elsewhere(check: Act) -> Act:
    CHECKS[check.__name__.removesuffix("_there")] = check
    return check


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*GIT, *arguments],
        cwd=where,
        capture_output=True,
        text=True,
        check=True,
        timeout=2 * MINUTE,
    )
    return done.stdout


@operation
def git_init(at: Path) -> None:
    git(at, "init", "-q", "-b", "main", "repo")
    assert git(at / "repo", "status", "--porcelain") == ""


@operation
def git_commit(at: Path) -> None:
    git(at, "init", "-q", "-b", "main", "repo")
    for number in range(20):
        (at / f"repo/{number}.txt").write_text(f"{number}\n" * number)
        git(at / "repo", "add", "-A")
        git(at / "repo", "commit", "-q", "-m", str(number))
    assert len(git(at / "repo", "log", "--oneline").splitlines()) == 20


@elsewhere
def git_commit_there(at: Path) -> None:
    git(at / "repo", "fsck", "--strict")
    assert git(at / "repo", "status", "--porcelain") == ""
    assert len(git(at / "repo", "log", "--oneline").splitlines()) == 20


@operation
def git_clone(at: Path) -> None:
    git_commit(at)
    git(at, "clone", "-q", "--no-hardlinks", "repo", "clone")
    git(at / "clone", "gc", "-q")
    git(at / "clone", "fsck", "--strict")


@elsewhere
def git_clone_there(at: Path) -> None:
    git(at / "clone", "fsck", "--strict")
    git(at / "clone", "pull", "-q")


@operation
def git_branch_and_merge(at: Path) -> None:
    git_commit(at)
    git(at / "repo", "checkout", "-q", "-b", "side", "HEAD~5")
    (at / "repo/side").write_text("side")
    git(at / "repo", "add", "-A")
    git(at / "repo", "commit", "-q", "-m", "side")
    git(at / "repo", "checkout", "-q", "main")
    git(at / "repo", "merge", "-q", "-m", "both", "side")
    assert (at / "repo/side").exists()


@operation
def sqlite(at: Path) -> None:
    with sqlite3.connect(at / "plain.db") as database:
        database.execute("create table t (n integer)")
        database.executemany("insert into t values (?)", [(n,) for n in range(1000)])
    assert database.execute("select count(*) from t").fetchone() == (1000,)
    database.close()


@elsewhere
def sqlite_there(at: Path) -> None:
    whole(at / "plain.db", 1000)


@operation
def sqlite_with_a_log(at: Path) -> None:
    database = sqlite3.connect(at / "wal.db", isolation_level=None)
    assert database.execute("pragma journal_mode = wal").fetchone() == ("wal",)
    database.execute("create table t (n integer)")
    for number in range(500):
        database.execute("insert into t values (?)", (number,))
    reader = sqlite3.connect(at / "wal.db")
    assert reader.execute("select count(*) from t").fetchone() == (500,)
    reader.close()
    database.close()


@elsewhere
def sqlite_with_a_log_there(at: Path) -> None:
    whole(at / "wal.db", 500)


def whole(path: Path, rows: int) -> None:
    database = sqlite3.connect(path)
    assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    assert database.execute("select count(*) from t").fetchone() == (rows,)
    database.close()


@operation
def pip_install(at: Path) -> None:
    wheel = at / "brick-1.0-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: brick\nVersion: 1.0\n"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("brick/__init__.py", "SIZE = 26\n")
        file.writestr("brick-1.0.dist-info/METADATA", about)
        file.writestr("brick-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("brick-1.0.dist-info/RECORD", "")
    install = ["install", "-q", "--no-index", "--no-deps", "-t", str(at / "lib"), str(wheel)]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *install]
    subprocess.run(command, check=True, timeout=2 * MINUTE, capture_output=True)
    pip_install_there(at)


@elsewhere
def pip_install_there(at: Path) -> None:
    code = "import brick; print(brick.SIZE)"
    environ = {**os.environ, "PYTHONPATH": str(at / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, env=environ, text=True, timeout=MINUTE) == "26\n"


@operation
def rename_a_file(at: Path) -> None:
    (at / "old").write_text("x")
    (at / "old").rename(at / "new")
    assert [path.name for path in at.iterdir()] == ["new"]


@operation
def rename_over_a_file(at: Path) -> None:
    (at / "target").write_text("old")
    (at / "part").write_text("new")
    (at / "part").replace(at / "target")
    assert (at / "target").read_text() == "new"


@operation
def rename_a_directory(at: Path) -> None:
    (at / "d/e").mkdir(parents=True)
    (at / "d/e/f").write_text("x")
    (at / "d").rename(at / "moved")
    assert (at / "moved/e/f").read_text() == "x"
    assert not (at / "d").exists()


@operation
def append(at: Path) -> None:
    for number in range(50):
        with (at / "log").open("a") as file:
            file.write(f"{number}\n")
    assert len((at / "log").read_text().splitlines()) == 50


@operation
def random_write(at: Path) -> None:
    (at / "f").write_bytes(b"." * 100_000)
    with (at / "f").open("r+b") as file:
        for place in range(0, 100_000, 997):
            file.seek(place)
            file.write(b"#")
    assert (at / "f").read_bytes().count(b"#") == len(range(0, 100_000, 997))


@operation
def truncate(at: Path) -> None:
    (at / "f").write_bytes(b"x" * 1000)
    os.truncate(at / "f", 10)
    os.truncate(at / "f", 20)
    assert (at / "f").read_bytes() == b"x" * 10 + b"\0" * 10


@operation
def flock(at: Path) -> None:
    code = (
        "import fcntl, sys\n"
        "file = open(sys.argv[1])\n"
        "try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "except BlockingIOError: print('taken')\n"
        "else: print('free')\n"
    )
    command = [sys.executable, "-c", code, str(at / "lock")]
    with (at / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert subprocess.check_output(command, text=True, timeout=MINUTE) == "taken\n"
    assert subprocess.check_output(command, text=True, timeout=MINUTE) == "free\n"


@operation
def symlink(at: Path) -> None:
    (at / "target").write_text("x")
    (at / "link").symlink_to("target")
    (at / "away").symlink_to("/etc/hostname")
    assert (at / "link").read_text() == "x"


@operation
def hard_link(at: Path) -> None:
    (at / "one").write_text("x")
    os.link(at / "one", at / "two")
    (at / "one").write_text("both")
    hard_link_there(at)


@elsewhere
def hard_link_there(at: Path) -> None:
    assert (at / "two").read_text() == "both"
    assert (at / "one").stat().st_ino == (at / "two").stat().st_ino


@operation
def chmod(at: Path) -> None:
    (at / "run").write_text("#!/bin/sh\necho ran\n")
    (at / "run").chmod(0o755)
    (at / "private").mkdir(mode=0o700)
    chmod_there(at)


@elsewhere
def chmod_there(at: Path) -> None:
    assert subprocess.check_output([str(at / "run")], text=True, timeout=MINUTE) == "ran\n"
    assert (at / "private").stat().st_mode & 0o777 == 0o700


@operation
def utime(at: Path) -> None:
    (at / "f").write_text("x")
    os.utime(at / "f", ns=(1, 1_234_567_890_123_456_789))
    assert (at / "f").stat().st_mtime_ns == 1_234_567_890_123_456_789


@operation
def memory_map(at: Path) -> None:
    (at / "f").write_bytes(b"\0" * 8192)
    with (at / "f").open("r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        view[5000:5005] = b"mmap!"
        view.flush()
    assert (at / "f").read_bytes()[5000:5005] == b"mmap!"


@operation
def exclusive_create(at: Path) -> None:
    (at / "f").open("x").close()
    try:
        (at / "f").open("x").close()
    except FileExistsError:
        return
    raise AssertionError("made twice")


@operation
def delete_while_open(at: Path) -> None:
    with (at / "f").open("w+") as file:
        file.write("still there")
        file.flush()
        (at / "f").unlink()
        file.seek(0)
        assert file.read() == "still there"
    assert not (at / "f").exists()


@operation
def fsync(at: Path) -> None:
    with (at / "f").open("w") as file:
        file.write("x")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(at, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


@operation
def deep_and_empty_directories(at: Path) -> None:
    (at / "/".join(["d"] * 60)).mkdir(parents=True)
    (at / "empty").mkdir()
    (at / "gone/with/all").mkdir(parents=True)
    shutil.rmtree(at / "gone")


@operation
def names(at: Path) -> None:
    for name in (
        "é ü",
        "e\u0301",
        "emoji 🙂",
        "a*b",
        "[x]",
        "?",
        "-",
        " ",
        "a\\b",
        "dot.",
        "A",
        "a",
    ):
        (at / name).write_text(name)
    (at / ("n" * 250)).write_text("long")
    assert len(list(at.iterdir())) == 13


@operation
def many_small_files(at: Path) -> None:
    for number in range(300):
        (at / f"{number}.txt").write_text(str(number))


@operation
def a_large_file(at: Path) -> None:
    block = bytes(range(256)) * 4096
    with (at / "large").open("wb") as file:
        for _ in range(40):
            file.write(block)
    assert (at / "large").stat().st_size == 40 << 20
