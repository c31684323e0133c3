"""HOME-020 to 026: unusual file names, and names that look like patterns."""

from __future__ import annotations

import time
import unicodedata
from contextlib import suppress

from greyhub.conformance.case import Unproven
from greyhub.conformance.contract import MUST, SHOULD, clause
from greyhub.conformance.homespace.case import Home, HomespaceCase

ODD = (
    *("naïve", "日本語", "🦊.txt", "שלום", "a b", " begins", "ends ", "a  b", "a\u00a0b"),
    *("a+b", "a&b", "a=b", "a%b", "a%20b", "%2e%2e", "a;b", "a'b", "a#b", "#"),
    *("-rf", "--help", "..a", ".hidden", "x" * 200),
    *("notes.tmp", "x.part", "tmpabc123", "a~", "#a#", ".~lock.a#"),
)
"""Names that people have, and that something in between likes to change."""

RARE = (
    *('a"b', "a\\b", "a,b", "a@b", "a!b", "a$HOME", "a^b", "a`b", "a|b", "a:b", "(a)", "{a}"),
    *("{username}", "~", "~root", "...", "a..", "CON"),
)
"""Names that a backend may be unable to keep: then they are refused."""

MAGIC = ("a*b", "a?b", "[ab]", "[a-z]*", "a[!x]b", "**", "{a,b}", "data[1].csv")
TWINS = {"a*b": "axb", "a?b": "ayb", "[ab]": "a", "[a-z]*": "zz", "a[!x]b": "azb", "**": "any",
         "{a,b}": "b", "data[1].csv": "data1.csv"}  # fmt: skip
"""What each would match if it were a pattern."""


@clause("HOME-020", MUST, hooks="raw")
def odd_names(case: HomespaceCase) -> None:
    """Names come back from a listing as they were given: nothing decoded, normalised or trimmed.

    Letters of all kinds, emoji, spaces, signs, a leading ``-``, ``..a``, 200
    characters, and names that programs give to what is temporary; as a file's name
    and as a folder's. Rarer names may be refused by an OSError instead.
    """
    home, backend = case.home(), case.backend()
    kept = [*ODD, *(name for name in RARE if _takes(case, home, name))]
    for number, name in enumerate(kept):
        for path in (f"names/{name}", f"folders/{name}/file"):
            home.pipe_file(path, path.encode())
        if number % 8 == 0:
            home.write(f"names/{name}", f"names/{name}".encode())
    for folder in ("names", "folders"):
        given = sorted(f"{folder}/{name}" for name in kept)
        listed = home.names(folder)
        wrong = sorted(set(given) ^ set(listed))
        case.require(listed == given, f"given and listed differ by {wrong[:6]}")
    for name in kept:
        for path in (f"names/{name}", f"folders/{name}/file"):
            case.require(home.cat_file(path) == path.encode(), f"{path!r} reads as another file")
    for name in kept:
        home.rm_file(f"names/{name}")
        case.require(not home.exists(f"names/{name}"), f"names/{name!r} was not removed")
    case.require(len(backend.paths()) == len(kept), "not all of the names were removed")


def _takes(case: HomespaceCase, home: Home, name: str) -> bool:
    try:
        home.pipe_file(f"names/{name}", b"")
        home.pipe_file(f"folders/{name}/file", b"")
    except OSError as error:
        case.saw(f"the name {name!r} is refused: {error}")
        return False
    return True


@clause("HOME-021", MUST, hooks="raw", guards="data")
def magic_names_are_literal(case: HomespaceCase) -> None:
    """``[ ] * ?`` stand for themselves wherever one file is meant.

    Each file has a twin that the name would match as a pattern; whatever is done
    to one must not touch the other.
    """
    home, backend = case.home(), case.backend()
    for name in MAGIC:
        twin = TWINS[name]
        home.pipe_file(twin, b"twin")
        case.raises(FileNotFoundError, home.cat_file, name)
        case.raises(FileNotFoundError, home.info, name)
        case.require(not home.exists(name), f"{name!r} exists because of {twin!r}")
        home.pipe_file(name, b"piped")
        case.require(home.cat_file(name) == b"piped", f"cat_file({name!r}) is not its content")
        home.write(name, b"opened")
        case.require(home.read(name) == b"opened", f"open({name!r}) is not its content")
        case.require(home.size(name) == 6, f"size({name!r}) is not its size")
        home.cp_file(name, "copy")
        case.require(home.cat_file("copy") == b"opened", f"cp_file({name!r}) is not a copy")
        home.mv(name, f"moved {name}")
        case.require(not home.exists(name), f"mv has left {name!r}")
        case.equal(backend.get(f"moved {name}"), b"opened", f"mv({name!r}) has moved")
        home.rm_file(f"moved {name}")
        home.rm_file("copy")
        case.equal(backend.content(), {twin: b"twin"}, f"instead of the twin of {name!r} there is")
        home.rm_file(twin)


@clause("HOME-022", MUST, hooks="raw", guards="data")
def removing_never_expands(case: HomespaceCase) -> None:
    """rm(name) removes the file of that name, and never what the name would match.

    The name alone and in a list, with ``recursive=True`` and without; a file and a folder.

    Seen: s3fs 2026.9.0: rm('a*b') also deletes axb
    Seen: fsspec#2036 https://github.com/fsspec/filesystem_spec/issues/2036
    Seen: fsspec#838 https://github.com/fsspec/filesystem_spec/issues/838
    Seen: s3contents#165 https://github.com/danielfrg/s3contents/issues/165
    """
    home, backend = case.home(), case.backend()
    for name in MAGIC:
        for named, recursive in ((name, False), (name, True), ([name], False), ([name], True)):
            expected = {TWINS[name]: b"twin", f"{TWINS[name]}.folder/file": b"other"}
            for path, content in expected.items():
                home.pipe_file(path, content)
            home.pipe_file(name, b"remove me")
            home.rm(named, recursive=recursive)
            left = backend.content()
            gone = sorted(set(expected) - set(left))
            case.require(not gone, f"rm({named!r}) has also removed {gone}")
            case.require(left == expected, f"rm({named!r}) has left {sorted(left)}")
        home.pipe_file(f"{name}/inner", b"remove me")
        home.rm(name, recursive=True)
        case.equal(backend.content(), expected, f"rm of the folder {name!r} has left")
        for path in expected:
            home.rm_file(path)


@clause("HOME-023", MUST, hooks="raw", guards="data")
def removing_a_folder(case: HomespaceCase) -> None:
    """rm("d", recursive=True) removes d and all in it, and leaves d2 and d.txt.

    Also where that is more than a store lists or removes at once, and by the name ``d/``.

    Seen: adlfs#389 https://github.com/fsspec/adlfs/issues/389
    Seen: adlfs#490 https://github.com/fsspec/adlfs/issues/490
    """
    home, backend = case.home(), case.backend()
    beside = {"d2/file": b"d2", "d.txt": b"text", "d-2": b"-", "e/d/file": b"e"}
    for path, content in beside.items():
        home.pipe_file(path, content)
    for path in ("d/file", "d/sub/file", "d/sub/deep/file"):
        home.pipe_file(path, b"remove me")
    home.rm("d", recursive=True)
    case.equal(backend.content(), beside, "rm('d', recursive=True) has left")
    case.require(not home.exists("d"), "d still exists")
    case.equal(home.names(), ["d-2", "d.txt", "d2", "e"], "afterwards ls gives")
    home.pipe_file("d/again", b"1")
    case.equal(sorted(home.find("d")), ["d/again"], "a new d holds")
    case.did(f"another client writes {MANY} files into d")
    backend.raw.update({f"d/sub/{number:04}": b"" for number in range(MANY)})
    home.rm("d/", recursive=True)
    left = backend.content()
    case.require(left == beside, f"rm('d/', recursive=True) has left {len(left)} files")
    with suppress(Exception):
        home.rm("e")
    kept = backend.get("e/d/file") == b"e"
    case.advise(kept, "rm without recursive=True has removed a folder with files")


MANY = 1005
"""More files than S3 lists or removes at once."""


@clause("HOME-024", MUST, hooks="raw", guards="data")
def touching_keeps_the_content(case: HomespaceCase) -> None:
    """touch(path, truncate=False) keeps the content, even where it is refused.

    fsspec's default, ``truncate=True``, is to destroy it.
    """
    home, backend = case.home(), case.backend()
    home.pipe_file("file", b"content")
    try:
        home.touch("file", truncate=False)
    except Exception as error:
        clean = isinstance(error, NotImplementedError)
        case.advise(clean, f"it is refused by {type(error).__name__}, not NotImplementedError")
    case.equal(backend.get("file"), b"content", "after touch(truncate=False) the file is")
    case.require(home.cat_file("file") == b"content", "after touch(truncate=False) it is not read")
    home.touch("new")
    case.require(backend.get("new") == b"", "touch did not make an empty file")


@clause("HOME-025", SHOULD, hooks="raw")
def like_names_are_distinct(case: HomespaceCase) -> None:
    """Names that differ in case, or only in how Unicode composes them, are two or an error."""
    home, backend = case.home(), case.backend()
    composed, apart = (unicodedata.normalize(form, "é.txt") for form in ("NFC", "NFD"))
    pairs = [("file", "FILE"), ("Ä", "ä"), (composed, apart)]
    for number, (one, two) in enumerate(pairs):
        folder = f"x{number}"  # a new one, which nobody has listed
        home.pipe_file(f"{folder}/{one}", b"one")
        try:
            home.pipe_file(f"{folder}/{two}", b"two")
        except OSError:
            case.saw(f"{two!r} is refused beside {one!r}")
        else:
            names = home.names(folder)
            wanted = sorted([f"{folder}/{one}", f"{folder}/{two}"])
            case.require(names == wanted, f"ls gives {names!r}, not {wanted!r}")
            case.require(home.cat_file(f"{folder}/{two}") == b"two", f"{two!r} is not read")
        first = home.cat_file(f"{folder}/{one}")
        case.require(first == b"one", f"{one!r} was overwritten by {two!r}")
        for path in backend.paths():
            backend.remove(path)


@clause("HOME-026", SHOULD, hooks="raw", budget=20)
def long_listings_are_complete(case: HomespaceCase) -> None:
    """A folder of 10 000 files is listed completely, by ls and by find.

    The files are put by the hook; if that is slow there are as many as come in three
    seconds, and more than the 5000 that some backend tells at once will do.
    """
    home, backend = case.home(), case.backend()
    wanted = [f"many/{number:05}" for number in range(10_000)]
    end = time.monotonic() + min(3 * case.patience, 9)
    put: list[str] = []
    while len(put) < len(wanted) and time.monotonic() < end:
        part = wanted[len(put) : len(put) + 500]
        backend.raw.update(dict.fromkeys(part, b""))
        put += part
    case.did(f"another client puts {len(put)} files into one folder")
    listed = home.names("many")
    missing = sorted(set(put) - set(listed))
    case.require(listed == put, f"of {len(put)} files {len(missing)} are not listed")
    missing = sorted(set(put) - set(home.find("many")))
    case.require(not missing, f"of {len(put)} files {len(missing)} are not found")
    if len(put) <= 5000:
        raise Unproven(f"raw() is slow: only {len(put)} files could be tried")
