"""HOME-018, 019: the version of a file changes with it, and can be a condition of a write."""

from __future__ import annotations

import itertools

from greyhub.conformance.contract import SHOULD, clause
from greyhub.conformance.homespace.case import Home, HomespaceCase


@clause("HOME-018", SHOULD)
def an_overwrite_is_seen(case: HomespaceCase) -> None:
    """checksum() and ukey() change with every overwrite, also by content of the same size.

    By other content: what was overwritten by itself may be called the same.
    """
    home, contents = case.home(), (b"%04d" % number for number in itertools.count())
    for name in ("checksum", "ukey"):
        seen = set()
        for content in itertools.islice(contents, 6):
            home.pipe_file("file", content)
            seen.add(getattr(home, name)("file"))
        case.require(len(seen) == 6, f"{name}() has {len(seen)} values for six versions")
        again = {getattr(home, name)("file") for _ in range(3)}
        case.require(len(again) == 1, f"{name}() changes though the file does not")


@clause("HOME-019", SHOULD, needs="conditional_write", hooks="raw")
def a_lost_update_is_refused(case: HomespaceCase) -> None:
    """A save that names the version it began from is refused if there is another now.

    ``pipe_file(path, value, match=info(path)["version"])``: two notebooks, one file.
    """
    one, two, backend = case.home(), case.home(), case.backend()
    one.pipe_file("notebook", b"begin")
    began = two.info("notebook")["version"]
    one.pipe_file("notebook", b"saved by one", match=one.info("notebook")["version"])
    case.raises(OSError, lambda: two.pipe_file("notebook", b"saved by two", match=began))
    case.raises(OSError, _in_a_transaction, two, began)
    case.require(backend.get("notebook") == b"saved by one", "the first save is lost")
    two.pipe_file("notebook", b"merged", match=two.info("notebook")["version"])
    case.require(backend.get("notebook") == b"merged", "a save from the right version is not there")
    now = two.info("notebook")["version"]
    one.rm_file("notebook")
    case.raises(OSError, lambda: two.pipe_file("notebook", b"again", match=now))
    case.require(backend.get("notebook") is None, "a file that was removed came back")


def _in_a_transaction(home: Home, match: str) -> None:
    with home.transaction():
        home.pipe_file("notebook", b"saved by two", match=match)
