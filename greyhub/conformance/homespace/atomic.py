"""HOME-010, 011, 017, 044, 045: a file is written whole or not at all; transactions."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import Backend, Home, HomespaceCase
from greyhub.conformance.record import shorten
from greyhub.conformance.testkit.fork import Fork

OLD, NEW = b"old " * 300, b"new content " * 300


class Meanwhile(Exception):
    """What goes wrong in a writer, on purpose."""


@clause("HOME-010", MUST, hooks="raw", guards="data")
def an_error_publishes_nothing(case: HomespaceCase) -> None:
    """An exception in ``with open(path, "wb")`` publishes nothing and leaves nothing behind.

    Over a file that is there and where there is none, binary and text, before
    anything is written, before and after a block has gone out, and when the user
    interrupts it. Where it is claimed, also in mode ``xb``.

    Seen: fsspec 2026.9.0: the partial file is published over the old one, local and s3fs
    Seen: pg_lake#622 https://github.com/Snowflake-Labs/pg_lake/pull/622: an empty file on Azure
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("folder/there", OLD)
    before = backend.paths()
    large = case.bytes(6 * 2**20)
    tries: list[tuple[str, list[Any]]]
    tries = [("wb", [b"half"]), ("w", ["half"]), ("wb", [large, b"half"]), ("wb", [])]
    for path in ("folder/there", "folder/new"):
        if path == "folder/new" and case.claims("exclusive_create"):
            tries.append(("xb", [b"half"]))
        for mode, parts in tries:
            for error in (Meanwhile("the writer failed"), KeyboardInterrupt()):
                case.did(f"write half of {path} in mode {mode}, then raise {error!r}")
                with suppress(Meanwhile, KeyboardInterrupt), home.open(path, mode) as file:
                    for part in parts:
                        file.write(part)
                    raise error
                case.equal(backend.peek("folder/there"), OLD, "the file that was there is now")
                left = backend.paths() - before
                case.require(not left, f"the failed writer has left {sorted(left)}")
                case.equal(home.names("folder"), ["folder/there"], "afterwards ls gives")


@clause("HOME-011", MUST, hooks="raw", guards="data")
def readers_see_a_whole_file(case: HomespaceCase) -> None:
    """Readers see the old file or the new one, never a mix, never none.

    At each step that a writer takes toward the backend the file is looked at, a
    large one too; a slow writer is looked at half-way, also by a client that has
    only come; and a reader that has begun when the file is replaced reads the old
    one to its end, or is told that it is gone.

    Seen: opendal#788 https://github.com/apache/opendal/issues/788
    """
    home, reader, backend = case.home(proxied=True), case.home(), case.backend()
    large = case.bytes(6 * 2**20)
    for name, content in (("source", NEW), ("large source", large)):
        home.pipe_file(name, content)

    def copied(path: str, content: bytes) -> None:
        home.cp_file("source" if content == NEW else "large source", path)

    def moved(path: str, content: bytes) -> None:
        home.mv("source", path)

    ways = {**home.ways(NEW), "cp_file": copied, "mv": moved}
    tries = [(way, write, NEW) for way, write in ways.items()]
    tries += [(f"{way}, large,", ways[way], large) for way in ("open", "pipe_file", "cp_file")]
    for way, write, new in tries:
        backend.put("file", OLD)
        torn: list[bytes | None] = []

        def look(out: bool, torn: list[bytes | None] = torn, new: bytes = new) -> None:
            seen = backend.peek("file")
            if seen not in (OLD, new):
                torn.append(seen)

        with case.stepping(look):
            write("file", new)
        case.require(not torn, f"while it is written by {way} a reader sees {first_seen(torn)}")
        case.equal(backend.peek("file"), new, f"after it is written by {way} it is")
    _half_way(case, home, reader, backend)
    _reading_on(case, home, reader, backend)


def _half_way(case: HomespaceCase, home: Home, reader: Home, backend: Backend) -> None:
    backend.put("file", OLD)
    with home.open("file", "wb") as file:
        file.write(NEW[:1800])
        file.flush()
        case.home().find("")  # who comes meanwhile must not clear up what is still at work
        for where, seen in (("the backend", backend.peek("file")), ("a reader", read(reader))):
            case.require(seen == OLD, f"half-way, {where} has {shorten(seen)}")
        file.write(NEW[1800:])
    case.require(read(reader) == NEW, "after it was closed, a reader does not see the new file")


def _reading_on(case: HomespaceCase, home: Home, reader: Home, backend: Backend) -> None:
    old, new = case.bytes(3 * 2**20), case.bytes(3 * 2**20)
    home.pipe_file("large", old)
    reader.invalidate_cache()  # how soon it is seen is HOME-040's
    case.did("read the begin of a file, replace it, and read on")
    found = b""
    with reader.open("large", "rb", block_size=2**18) as file:
        found = file.read(1000)
        home.pipe_file("large", new)
        try:
            found += file.read()
        except OSError:
            return
    case.require(found in (old, new), "a reader that had begun got a mix of the old and the new")


def first_seen(torn: list[bytes | None]) -> str:
    """What the first reader of a torn file saw."""
    return ", ".join("no file" if seen is None else shorten(seen) for seen in torn[:1])


def read(reader: Home) -> bytes | None:
    """The file as another client reads it."""
    try:
        content: bytes = reader.cat_file("file")
    except FileNotFoundError:
        return None
    return content


@clause("HOME-017", MUST, hooks="raw", guards="data")
def a_killed_writer_changes_nothing(case: HomespaceCase) -> None:
    """A writer that is killed leaves the old file, and nothing that anybody sees or that stays.

    Another process writes half of a file and is ended by SIGKILL. What it has
    left is shown by no listing; once it is old, the next client reaps it, and never
    what is the user's own, whatever it is called.
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("folder/file", OLD)
    before = backend.paths()
    for path in ("folder/file", "folder/new"):
        killed_writer(case, path)
    case.equal(backend.get("folder/file"), OLD, "after its writer was killed, the old file is")
    after = case.home()
    for listing in (home.names("folder"), after.names("folder"), sorted(after.find(""))):
        case.require(listing == ["folder/file"], f"a listing shows {listing}")
    case.equal(after.names(), ["folder"], "a listing of the root shows")
    left = backend.paths() - before
    if backend.has("age"):
        for path in OWN:
            home.pipe_file(path, OLD)
        for path in (*left, *OWN):
            backend.raw.age(path, 30 * 86400)
        case.did("let what is left grow a month old, and use the home")
        next_one = case.home()
        next_one.pipe_file("folder/file", NEW)
        next_one.find("")
        lost = set(OWN) - backend.paths()
        case.require(not lost, f"with what the writer left, it has reaped {sorted(lost)}")
        left = backend.paths() - before - set(OWN)
    case.require(not left, f"what the writer left is never reaped: {sorted(left)}")


OWN = ("notes.tmp", ".tmp", "folder/.half.part", "folder/tmp0a1b2c3d", "folder/file~")
"""Files of a user's own that look as if a writer had left them."""


def killed_writer(case: HomespaceCase, path: str, part: bytes = b"half " * 100_000) -> None:
    """Let another process write half of a file, and kill it."""
    user = case.user()

    def work() -> None:
        file = case.suite.open(user).open(path, "wb")
        _OPEN.append(file)  # it stays open, and in use
        file.write(part)
        file.flush()

    case.did(f"another process writes half of {path}, and is killed")
    with Fork(work) as writer:
        try:
            writer.result(5 * case.patience)
        except Exception as error:
            case.fail(f"in another process, writing raised {error!r}")
        writer.kill()


_OPEN: list[Any] = []


@clause("HOME-044", MUST, hooks="raw fault", guards="data", budget=20)
def a_lost_write_raises(case: HomespaceCase) -> None:
    """A write that does not reach the backend raises, and the file does not appear.

    By open(), for bytes and for text, pipe_file(), pipe() and put_file(), in one part
    and in several blocks; and where it is claimed, by adding. If the first block alone
    is refused, the write raises, or all of it is there.

    Seen: s3fs-fuse#2120 https://github.com/s3fs-fuse/s3fs-fuse/issues/2120
    """
    home, backend = case.home(proxied=True), case.backend()
    home.pipe_file("before", b"1")
    large, small = case.bytes(6 * 2**20), b"x" * 5000

    def in_blocks(path: str, content: bytes) -> None:
        with home.open(path, "wb", block_size=5 * 2**20) as file:
            file.write(large)
            file.write(content)

    def added(path: str, content: bytes) -> None:
        home.write("before", content, "ab")

    ways = {**home.ways(small), "in_blocks": in_blocks}
    if case.claims("append"):
        ways["added"] = added
    with case.fault("rejected", "write"):
        for way, write in ways.items():
            case.raises(Exception, write, way, small)
    with case.fault("rejected", "write", times=1), suppress(Exception):
        in_blocks("once", small)
        case.equal(backend.peek("once"), large + small, "its first block refused, there is")
        home.rm_file("once")
    case.equal(backend.get("before"), b"1", "what could not be added to is")
    left = backend.paths() - {"before"}
    case.require(not left, f"the writes raised, and yet there is {sorted(left)}")
    case.equal(home.names(), ["before"], "the writes raised, and yet ls gives")
    home.pipe_file("after", b"x" * 5000)
    case.require(backend.get("after") == b"x" * 5000, "a later write does not reach the backend")
    odd = backend.paths() - {"before", "after"}
    case.require(not odd, f"writes that had raised came later: {sorted(odd)}")


@clause("HOME-045", MUST, hooks="raw", guards="data")
def transactions(case: HomespaceCase) -> None:
    """A transaction publishes at its end; an exception rolls it back, and spoils nothing later.

    So does an end that fails, which is told; and of two writes to one file the last one wins.

    Seen: fsspec#2108 https://github.com/fsspec/filesystem_spec/pull/2108
    Seen: fsspec 2026.9.0: DirFileSystem ignores transactions
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("there", OLD)
    before = backend.paths()
    done = {"there": NEW, "piped": b"1", "folder/opened": b"2", "text": b"3", "put": b"4"}

    def writes() -> None:
        home.write("there", b"for a moment")
        home.write("there", NEW)
        home.pipe_file("piped", b"1")
        home.write("folder/opened", b"2")
        home.write("text", "3", "w")
        home.put("put", b"4")
        case.require(backend.get("there") == OLD, "a file is published before the transaction ends")
        early = backend.content().keys() - before
        case.equal(home.names(), ["there"], "before the transaction ends, ls gives")
        hidden = sorted(early & done.keys())
        case.require(not hidden, f"{hidden} are published before the transaction ends")

    with suppress(Meanwhile), home.transaction():
        writes()
        raise Meanwhile("the writer failed")
    case.equal(backend.get("there"), OLD, "after a failed transaction the file is")
    left = backend.paths() - before
    case.require(not left, f"a failed transaction has left {sorted(left)}")
    home.write("later", b"3")
    case.require(backend.get("later") == b"3", "after a failed transaction, a write is not there")
    home.rm_file("later")
    with home.transaction():
        writes()
    case.require(backend.content() == done, f"the end left {sorted(backend.content())}")
    case.equal(sorted(home.find("")), sorted(done), "after the transaction find gives")
    if case.suite.has("fault"):
        _failing_end(case, done)


def _failing_end(case: HomespaceCase, done: dict[str, bytes]) -> None:
    home, backend = case.home(proxied=True), case.backend()

    def written() -> None:
        with home.transaction():
            for path in ("never", "neither"):
                home.write(path, b"x" * 5000)

    with case.fault("rejected", "write"):
        case.raises(Exception, written)
    home.write("later", b"5")
    held = backend.content()
    case.require(held.get("later") == b"5", "after an end that failed, a write is not there")
    odd = sorted(held.keys() - {*done, "later"})
    case.require(not odd, f"a transaction whose end failed has published {odd}")
