"""HOME-009, 046, 047: a backend that is full, busy, out of reach or slow."""

from __future__ import annotations

from contextlib import suppress

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import HomespaceCase

ROUND_TRIPS = 10


@clause("HOME-009", MUST, hooks="raw fault", guards="data")
def a_full_home_says_so(case: HomespaceCase) -> None:
    """Where no more may be written, write() or close() raises an OSError; the old file stays.

    So do pipe_file(), pipe() and put_file().
    """
    home, backend = case.home(proxied=True), case.backend()
    old, new = b"old" * 1000, b"new!" * 2000
    home.pipe_file("file", old)
    ways = home.ways(new)
    for way, write in ways.items():
        with case.fault("rejected", "write"):
            case.raises(OSError, write, "file", new)
        case.equal(backend.get("file"), old, f"written by {way}, the old file is")
    case.require(home.cat_file("file") == old, "afterwards the old file is not read")
    left = backend.paths() - {"file"}
    case.require(not left, f"the failed writes have left {sorted(left)}")


@clause("HOME-046", MUST, needs="remote", hooks="raw fault", guards="data", budget=30)
def a_busy_backend_is_asked_again(case: HomespaceCase) -> None:
    """A backend that fails twice and then works has done each thing once; one that is gone is told.

    503 and broken connections, for reading, writing, copying, removing and, where
    it is claimed, adding. If the backend stays away, an error says so in time, and
    nothing is told to be missing; it should be an OSError. A reply that is lost
    after the work was done should do no harm.
    """
    home, backend = case.home(proxied=True), case.backend()
    home.pipe_file("folder/file", b"content")
    for number, kind in enumerate(("unavailable", "reset")):
        with case.fault(kind, "any", times=2):
            case.require(home.cat_file("folder/file") == b"content", f"{kind}: it is not read")
        with case.fault(kind, "any", times=2):
            names = home.names("folder")
        case.require(names == ["folder/file"], f"{kind}: ls gives {names}")
        path = f"written{number}"
        with case.fault(kind, "write", times=2):
            home.pipe_file(path, b"new")
        case.require(backend.get(path) == b"new", f"{kind}: {path} is not there")
        with case.fault(kind, "write", times=2):
            home.cp_file("folder/file", f"copied{number}")
        case.equal(backend.get(f"copied{number}"), b"content", f"{kind}: the copy is")
        with case.fault(kind, "delete", times=2):
            home.rm_file(path)
        case.require(backend.get(path) is None, f"{kind}: {path} is not removed")
        if case.claims("append"):
            backend.put("log", b"1")
            with case.fault(kind, "write", times=2):
                home.write("log", b"2", "ab")
            case.equal(backend.get("log"), b"12", f"{kind}: what was to be added once left")
    _lost(case)
    errors: list[Exception] = []
    with case.fault("refused"):
        for call in (home.cat_file, home.info, home.ls):
            try:
                call("folder/file")  # an answer from memory is none of this clause's affair
            except FileNotFoundError:
                case.fail(f"{call.__name__}: a backend that is away is told as a missing file")
            except Exception as error:
                errors.append(error)
        there = True
        with suppress(Exception):
            there = home.exists("folder/file")
        case.require(there, "exists: a backend that is away is told as a missing file")
    with case.fault("unavailable"):
        errors.append(case.raises(Exception, home.pipe_file, "never", b"1"))
    odd = {type(error).__name__ for error in errors if not isinstance(error, OSError)}
    case.advise(not odd, f"a backend that is away is told by {', '.join(sorted(odd))}")
    case.require(home.cat_file("folder/file") == b"content", "afterwards it is not read")


def _lost(case: HomespaceCase) -> None:
    """The reply is lost, the work is done: trying again must not make it wrong."""
    home, backend = case.home(proxied=True), case.backend()

    def harmless(what: str, call: object, *args: object, **how: object) -> None:
        try:
            with case.fault("lost", "write", times=1):
                call(*args, **how)  # type: ignore[operator]
        except OSError as error:
            case.advise(False, f"{what}, whose reply was lost, raised {error!r}")

    harmless("a write", home.pipe_file, "lost", b"whole")
    case.require(backend.get("lost") in (b"whole", None), "a write whose reply was lost is torn")
    if case.claims("append"):
        backend.put("log", b"1")
        harmless("what is added", home.write, "log", b"2", "ab")
        held = backend.get("log")
        case.require(held in (b"1", b"12"), f"added, its reply lost, has left {held!r}")
    if case.claims("exclusive_create"):
        harmless("a create", home.pipe_file, "created", b"whole", mode="create")


@clause("HOME-047", MUST, needs="remote", hooks="raw requests")
def listing_takes_few_round_trips(case: HomespaceCase) -> None:
    """A folder of 200 files is listed with ten requests at most, details included.

    They are counted at the proxy: with a second for each, ten are what a user waits for.
    """
    home, backend = case.home(proxied=True), case.backend()
    case.did("another client writes 200 files")
    backend.raw.update({f"folder/file{number:03}": b"x" * number for number in range(200)})
    home.exists("folder")
    for detail in (True, False):
        before = case.hook("requests")
        found = home.ls("folder", detail=detail)
        asked = case.hook("requests") - before
        case.require(len(found) == 200, f"ls finds {len(found)} files, not 200")
        case.require(asked <= ROUND_TRIPS, f"a folder of 200 files took {asked} requests")
