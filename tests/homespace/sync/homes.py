"""Homes that people really have, made in any size, and all that a user sees of one.

Paths are bytes here: a name need not be text.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WHEN = 1_600_000_000_123_456_789

HOSTILE: tuple[bytes | str, ...] = (
    # What shells, logs and listings trip over.
    "new\nline", "carriage\rreturn", "tab\tname", "\x01", "bell\x07", "delete\x7f", "c1\x85",
    "-rf", "--", "~", "$(x)", "`x`", "quote'\"", "a&b", "semi;colon", "pipe|", "<xml>", "]]>",
    "&amp;", "star*", "q?mark", "[ab]", "{username}", "hash#tag", "a:b", "back\\slash", "@", "=",
    # What servers decode, cut or fold.
    "100%", "%", "%25", "percent%2Fslash", "%2e%2e", "%00", "a+b", "a b", "+", "?x=1", "a%20b",
    "dot.", "dots...", "...", "....", "..a", ".a", "dot .", " ", " before", "after ", ". ", " .",
    "\u2024", "\u2024\u2024", "\uff0e", "\uff0f", "\u2215",
    # One name to people, two to a file system.
    "caf\u00e9", "cafe\u0301", "Case", "case", "\u212b", "\u00c5", "\u017f", "s", "\ufb01", "fi",
    # Not text, not quite text, and text of other planes.
    b"\xff\xfe", b"caf\xe9 in latin-1", b"cut \xc3", b"\xed\xa0\x80", b"\xc0\xaf", "\ufffd",
    "\U0001f600", "\u202e reversed", "\ufeffmark", "\u200b", "\u2028", "\ufffe", "\uffff",
    # Long.
    "x" * 255, "\u00e9" * 127 + "x", b"\xff" * 255, "y" * 251 + ".tar",
    # Like what greyhub, stores or other systems keep for themselves.
    ".greyhub ", ".Greyhub", "greyhub", "CON", "nul.txt", "aux", "$Recycle.Bin", ".snapshot",
    "soap", "_$folder$", "a_$folder$", ".part", "lost.found", "data.db-wal", "index.html",
)  # fmt: skip


def _name(name: bytes | str) -> bytes:
    return name if isinstance(name, bytes) else name.encode()


def write(path: bytes, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.utime(path, ns=(WHEN, WHEN))


def small(home: bytes, size: int) -> None:
    """So many small files, a hundred in a folder."""
    for number in range(size):
        write(b"%s/small/d%d/%d.py" % (home, number // 100, number), b"x = %d\n" % number)


def wide(home: bytes, size: int) -> None:
    """So many files in one folder."""
    for number in range(size):
        write(b"%s/wide/frame %05d.txt" % (home, number), b"%d" % number)


def deep(home: bytes, size: int) -> None:
    """A chain of so many folders, with a file in each, and an empty one at the end."""
    folder = home + b"/deep"
    for level in range(size):
        folder += b"/level %d of it" % level
        write(folder + b"/file", b"%d" % level)
    os.mkdir(folder + b"/empty")


def hostile(home: bytes, size: int) -> None:
    """Every hostile name as a file's and as a folder's, so many times."""
    for number in range(size):
        for place, name in enumerate(map(_name, HOSTILE)):
            write(b"%s/names %d/%s" % (home, number, name), b"%d" % place)
            write(b"%s/folders %d/%s/%s" % (home, number, name, name), b"%d" % place)
            os.symlink(name, b"%s/folders %d/%s/link" % (home, number, name))
            os.makedirs(b"%s/hollow %d/%s" % (home, number, name))


def conda(home: bytes, size: int) -> None:
    """So many packages as conda links them: hard links, links to folders, programs."""
    env = home + b"/env"
    for number in range(size):
        kept = b"%s/pkgs/p%d-1.0/lib/python3.11/site-packages/p%d" % (home, number, number)
        used = b"%s/lib/python3.11/site-packages/p%d" % (env, number)
        for name in (b"__init__.py", b"core.py", b"sub/deeper/still/_native.so", b"py.typed"):
            write(kept + b"/" + name, b"" if name == b"py.typed" else b"%d %s" % (number, name))
            os.makedirs(os.path.dirname(used + b"/" + name), exist_ok=True)
            os.link(kept + b"/" + name, used + b"/" + name)
        program = b"%s/bin/p%d" % (env, number)
        write(program, b"#!/bin/sh\n")
        os.chmod(program, 0o755)
        os.symlink(b"p%d" % number, b"%s/bin/p%d-1" % (env, number))
        os.symlink(b"../site-packages/p%d" % number, b"%s/lib/python3.11/l%d" % (env, number))
    os.symlink(b"python3.11", env + b"/lib/python3")
    os.symlink(b"/usr/bin/python3", env + b"/bin/python")
    os.symlink(b".", env + b"/lib64")
    os.makedirs(env + b"/conda-meta/state")


def large(home: bytes, size: int) -> None:
    """One file of so many megabytes, most of which are holes."""
    path = home + b"/large.bin"
    with open(path, "wb") as file:
        file.truncate(size << 20)
        for place in range(0, size << 20, 64 << 20):
            file.seek(place)
            file.write(os.urandom(4096))
    os.utime(path, ns=(WHEN, WHEN))


KINDS: dict[str, Callable[[bytes, int], None]] = {
    each.__name__: each for each in (small, wide, deep, hostile, conda, large)
}


@contextmanager
def busy(home: Path) -> Iterator[None]:
    """Files that change for as long as this lasts, in every way that programs have."""
    end = threading.Event()
    (home / "busy").mkdir()

    def often(act: Callable[[int], None]) -> threading.Thread:
        def run() -> None:
            number = 0
            while not end.wait(0.003):
                act(number)
                number += 1

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def append(number: int) -> None:
        with (home / "busy/app.log").open("a") as file:
            file.write(f"line {number}\n")

    def rewrite(number: int) -> None:
        with (home / "busy/state.json").open("w") as file:
            file.write(f"{number} " * 5_000)
            file.flush()
            file.write(f"end of {number}")

    def replace(number: int) -> None:
        part = home / "busy/.notebook.part"
        part.write_text(f"{number} " * 20_000)
        part.replace(home / "busy/notebook.ipynb")

    def patch(number: int) -> None:
        with (home / "busy/array.dat").open("r+b") as file:
            file.seek(number * 4096 % (2 << 20))
            file.write(b"%04096d" % number)

    def commit(number: int) -> None:
        database = sqlite3.connect(home / "busy/work.db", timeout=30)
        with database:
            database.execute("insert into t values (?)", (number,))
        database.close()

    def come_and_go(number: int) -> None:
        path = home / f"busy/tmp{number % 5}"
        path.unlink(missing_ok=True) if number % 2 else path.write_text(str(number))

    (home / "busy/array.dat").write_bytes(bytes(2 << 20))
    database = sqlite3.connect(home / "busy/work.db")
    database.execute("pragma journal_mode = wal")
    database.execute("create table t (n integer)")  # for long it is only in the log
    threads = [often(act) for act in (append, rewrite, replace, patch, commit, come_and_go)]
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()
        database.close()


def seen(home: Path) -> dict[bytes, Any]:
    """All that a user sees of a home: content, mode, times, links, and which names are one."""
    found: dict[bytes, Any] = {}
    first: dict[int, bytes] = {}
    top = os.fsencode(home)
    for folder, folders, names in os.walk(top):
        if folder == top:
            folders[:] = [name for name in folders if name != b".greyhub"]
        folders.sort()
        for name in [*folders, *sorted(names)]:
            path = os.path.join(folder, name)
            key, status = path[len(top) + 1 :], os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                found[key] = ("link", os.readlink(path))
            elif stat.S_ISDIR(status.st_mode):
                found[key] = ("folder", stat.S_IMODE(status.st_mode))
            else:
                same = first.setdefault(status.st_ino, key)
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                mode = stat.S_IMODE(status.st_mode)
                found[key] = ("file", digest, mode, status.st_mtime_ns, status.st_nlink, same)
    return found


def differences(one: dict[bytes, Any], other: dict[bytes, Any]) -> list[str]:
    """What differs between two homes, for people."""
    return [
        f"{path!r}: {one.get(path)} and {other.get(path)}"
        for path in sorted(one.keys() | other.keys())
        if one.get(path) != other.get(path)
    ]
