"""HOME-030 to 034, 036: no path, link or user name leads into another user's home."""

from __future__ import annotations

import os
import pickle
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from greyhub.conformance.contract import MUST, clause
from greyhub.conformance.homespace.case import Backend, Home, HomespaceCase

SECRET = b"what only its owner may read"
MARK = "whose-file-this-is.txt"


@clause("HOME-030", MUST, hooks="raw", guards="secrets")
def same_path_own_file(case: HomespaceCase) -> None:
    """Two users with the same path see their own file, also where their names are much alike."""
    users = ["ada", "ada-lovelace-of-the-analytical-engine", "bob.the.builder", "bob-the-builder"]
    users.append(users[1] + "-too")
    homes = [case.home(each) for each in users]
    for who, home in zip(users, homes, strict=True):
        case.require(not home.exists("folder"), f"the new home of {who} has somebody's folder")
        home.pipe_file("folder/file", who.encode())
    for who, home in zip(users, homes, strict=True):
        case.equal(home.cat_file("folder/file"), who.encode(), f"{who} reads the file of")
        held = case.backend(who).get("folder/file")
        case.require(held == who.encode(), f"in the backend, {who} has the file of {held!r}")
    homes[0].rm("folder", recursive=True)
    for who, home in list(zip(users, homes, strict=True))[1:]:
        case.require(home.exists("folder/file"), f"ada removed the file of {who}")


@clause("HOME-031", MUST, hooks="raw location", guards="secrets", budget=20)
def no_path_leads_out(case: HomespaceCase) -> None:
    """No path reaches another's home: by ``..``, absolute, ``//``, backslash or percent signs.

    The hook says where the other home really is. Each way to it is tried for
    reading, listing, writing, copying, moving and removing.

    Seen: fsspec#2047 https://github.com/fsspec/filesystem_spec/pull/2047: mended for Local alone
    Seen: MAVSDK#3069 https://github.com/mavlink/MAVSDK/pull/3069: a prefix without a separator
    """
    home, other, backend = case.home("ada"), "ada2", case.backend("ada2")
    case.home(other).pipe_file(MARK, SECRET)
    home.pipe_file("mine", b"mine")
    home.pipe_file("folder/mine", b"mine")
    before = backend.content()
    mine = case.hook("location", case.user("ada"))
    theirs = case.hook("location", case.user(other))
    ways = list(_ways(mine, theirs))
    for attempts in (_reading, _changing):
        for way in ways:
            case.did(f"{attempts.__name__[1:]} by the way {way!r}")
            for name, attempt in attempts(home, way):
                found = _answer(attempt)
                case.require(not _seen(found), f"{name} by {way!r} reached the other home")
            if backend.content() != before:
                name = _culprit(backend, before, attempts(home, way))
                case.fail(f"{name} by {way!r} has changed the other home")


def _culprit(
    backend: Backend, before: dict[str, bytes], attempts: Iterator[tuple[str, Callable[[], Any]]]
) -> str:
    """Which of the attempts it was: each is made once more, and undone."""
    for name, attempt in attempts:
        for path in backend.paths() - before.keys():
            backend.remove(path)
        for path, content in before.items():
            backend.put(path, content)
        _answer(attempt)
        if backend.content() != before:
            return name
    return "something"


def _answer(attempt: Callable[[], Any]) -> Any:
    """What an attempt comes to; an error is as good as nothing, unless it tells the secret."""
    try:
        return attempt()
    except Exception as error:
        return SECRET if SECRET.decode() in str(error) else None


def _seen(found: Any) -> bool:
    return found == SECRET if isinstance(found, bytes) else MARK in str(found)


def _ways(mine: str, theirs: str) -> Iterator[str]:
    theirs = theirs.rstrip("/")
    name = theirs.rpartition("/")[2]
    bare = theirs.partition("://")[2] or theirs
    yield f"../{name}"
    yield f"/../{name}"
    yield f"folder/../../{name}"
    yield f"./..//{name}"
    yield theirs
    yield f"/{bare}" if not bare.startswith("/") else f"/{bare.lstrip('/')}"
    yield f"//{bare.lstrip('/')}"
    yield f"..\\{name}"
    yield f"%2e%2e/{name}"
    yield f"..%2f{quote(name)}"
    yield f"folder/{'../' * (bare.count('/') + 2)}{bare.lstrip('/')}"
    if "://" not in theirs:
        yield f"file://{theirs}" if theirs.startswith("/") else f"file:///{theirs}"


def _reading(home: Home, way: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    file = f"{way}/{MARK}"
    yield "cat_file", lambda: home.cat_file(file)
    yield "cat", lambda: home.cat(file)
    yield "open", lambda: home.read(file)
    yield "cat_ranges", lambda: home.cat_ranges([file], [0], [99], on_error="raise")[0]
    yield "info", lambda: home.info(file)
    yield "exists", lambda: MARK if home.exists(file) else None
    yield "ls", lambda: home.ls(way, detail=False)
    yield "glob", lambda: home.glob(f"{way}/*")
    yield "find", lambda: home.find(way)
    yield "walk", lambda: [files for _, _, files in home.walk(way)]
    yield "cp_file", lambda: (home.cp_file(file, "stolen"), home.cat_file("stolen"))[1]
    yield "get_file", lambda: _got(home, file)


def _changing(home: Home, way: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    file, made = f"{way}/{MARK}", f"{way}/made"
    yield "cp_file to", lambda: home.cp_file("mine", made)
    yield "pipe_file", lambda: home.pipe_file(made, b"intruder")
    yield "touch", lambda: home.touch(file)
    yield "makedirs", lambda: home.makedirs(f"{way}/folder", exist_ok=True)
    yield "mv from", lambda: (home.mv(file, "stolen"), home.cat_file("stolen"))[1]
    yield "mv to", lambda: home.mv("folder/mine", made)
    yield "overwriting", lambda: home.pipe_file(file, b"intruder")
    yield "open to write", lambda: home.write(file, b"intruder")
    yield "put_file", lambda: home.put(file, b"intruder")
    yield "a transaction", lambda: _in_transaction(home, file)
    yield "open to append", lambda: home.write(file, b"intruder", "ab")
    yield "rm_file", lambda: home.rm_file(file)
    yield "rm", lambda: home.rm(way, recursive=True)


def _in_transaction(home: Home, file: str) -> None:
    with home.transaction():
        home.write(file, b"intruder")


def _got(home: Home, file: str) -> bytes:
    place = home.case.directory / "got"
    with suppress(FileNotFoundError):
        place.unlink()
    home.get_file(file, str(place))
    return place.read_bytes()


@clause("HOME-032", MUST, needs="symlinks", hooks="raw location", guards="secrets")
def links_out_are_not_followed(case: HomespaceCase) -> None:
    """A symbolic link out of the home is not followed: for reading, writing or listing.

    To a file, to a folder, by an absolute and by a relative path, and by way of
    another link. Who overwrites, touches, moves or removes a link may change the
    link, and not what it leads to.
    """
    home, backend, theirs = case.home("ada"), case.backend("ada"), case.backend("bob")
    case.home("bob").pipe_file(MARK, SECRET)
    before = theirs.content()
    mine, other = (case.hook("location", case.user(who)) for who in ("ada", "bob"))
    relative = os.path.relpath(other, mine)
    links = {"file": f"{other}/{MARK}", "folder": other, "relative": relative, "again": "folder"}
    for name, target in links.items():
        case.did(f"put a link {name} to {target}")
        backend.raw.link(name, target)
    for name in links:
        for path in (name, f"{name}/{MARK}"):
            for what, attempt in _by_link(home, path):
                found = _answer(attempt)
                case.require(not _seen(found), f"{what} of {path!r} followed the link out")
            now = theirs.content()
            case.require(now == before, f"by {path!r} the other home was changed")
    case.require(MARK not in str(home.find("")), "find at the root followed a link out")
    for what, act in _onto(home):
        for name, target in links.items():
            _answer(partial(act, name))
            now = theirs.content()
            case.require(now == before, f"{what} of the link {name!r} has changed what it leads to")
            with suppress(KeyError):
                del backend.raw[name]
            backend.raw.link(name, target)


def _onto(home: Home) -> Iterator[tuple[str, Callable[[str], Any]]]:
    def moved(name: str) -> None:
        home.pipe_file("mine", b"intruder")
        home.mv("mine", name)

    def copied(name: str) -> None:
        home.pipe_file("mine", b"intruder")
        home.cp_file("mine", name)

    for way, write in home.ways().items():
        yield way, partial(_written, write)
    yield "mv", moved
    yield "cp_file", copied
    yield "touch", home.touch
    yield "rm", partial(home.rm, recursive=True)


def _written(write: Callable[[str, bytes], None], name: str) -> None:
    write(name, b"intruder")


def _by_link(home: Home, path: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "cat_file", lambda: home.cat_file(path)
    yield "open", lambda: home.read(path)
    yield "ls", lambda: [each.rpartition("/")[2] for each in home.ls(path, detail=False)]
    yield "find", lambda: [each.rpartition("/")[2] for each in home.find(path)]
    yield "cp_file", lambda: (home.cp_file(path, "stolen"), home.cat_file("stolen"))[1]
    yield "get_file", lambda: _got(home, path)
    yield "touch", lambda: home.touch(f"{path}/made")
    yield "pipe_file", lambda: home.pipe_file(f"{path}/made", b"intruder")
    yield "mkdir", lambda: home.makedirs(f"{path}/folder")
    yield "rm_file", lambda: home.rm_file(f"{path}/{MARK}")


@clause("HOME-033", MUST, hooks="raw location", guards="secrets")
def a_name_is_never_a_path(case: HomespaceCase) -> None:
    """Whatever a user is called, it has a home of its own, or is refused.

    ``..``, ``a/b``, nothing, NUL, other letters' case, a slash at the end, names
    that would be the place of another's home if they were paths, and those that are
    like another's but for a domain, a sign or an accent.
    """
    victim = case.user("ada")
    home, backend = case.home("ada"), case.backend("ada")
    home.pipe_file(MARK, SECRET)
    before = backend.content()
    place = case.hook("location", victim).rstrip("/")
    above = place.rpartition("/")[0].rpartition("/")[2]
    names = ["", ".", "..", "/", "~", "*", f"{victim}/", f"./{victim}", f"x/../{victim}"]
    names += [f"../{above}", f"../{above}/{victim}", f"{victim}/sub", f"%2e%2e/{victim}", place]
    names += [victim.upper(), victim.title(), f"{victim} ", f" {victim}"]
    names += [f"{victim}\0", f"{victim}\0x", f"{victim}%00"]
    names += [f"{victim}@example.org", f"corp\\{victim}", f"{victim}+tag", f"{victim}é"]
    names += [f"{victim}e\u0301", f"{victim}e", f"{victim}-b", f"{victim}_b", f"{victim}.b"]
    opened: dict[str, Home] = {}
    for name in names:
        try:
            opened[name] = case.opened(name)
            opened[name].pipe_file("whose", name.encode())
        except Exception as error:
            opened.pop(name, None)
            case.saw(f"the user {name!r} is refused: {type(error).__name__}")
    try:
        for name, other in opened.items():
            _stays_out(case, name, other, victim, above)
        case.equal(backend.content(), before, f"one of them has changed the home of {victim}:")
        for name, other in opened.items():
            case.equal(other.cat_file("whose"), name.encode(), f"{name!r} has the home of")
    finally:
        for other in opened.values():
            with suppress(Exception):
                other.fs.rm_file("whose")


def _stays_out(case: HomespaceCase, name: str, home: Home, victim: str, above: str) -> None:
    for path in (MARK, f"{victim}/{MARK}", f"{above}/{victim}/{MARK}"):
        found = _answer(partial(home.cat_file, path))
        case.require(found != SECRET, f"the user {name!r} reads {victim}'s file as {path!r}")


@clause("HOME-034", MUST, hooks="raw", guards="secrets")
def instances_are_not_shared(case: HomespaceCase) -> None:
    """fsspec's cache of instances never hands one user's instance to another.

    In one process, made in turns; and rebuilt from what pickle and JSON hold.

    Seen: fsspec#2006 https://github.com/fsspec/filesystem_spec/issues/2006: a shared connection
    Seen: s3fs#938 https://github.com/fsspec/s3fs/issues/938
    """
    homes: dict[str, Home] = {}
    for who in ("ada", "bob", "eve"):
        homes[who] = case.home(who)
        homes[who].pipe_file("whose", who.encode())
    for who in ("eve", "ada", "bob"):
        for home in (homes[who], case.home(who)):
            case.equal(home.cat_file("whose"), who.encode(), f"{who} is given the home of")
    held = {who: case.backend(who).get("whose") for who in homes}
    case.require(held == {who: who.encode() for who in homes}, f"the backend holds {held}")
    for who, home in homes.items():
        for how in (_by_pickle, _by_json):
            with suppress(Exception):
                again = how(home.fs)
                case.did(f"rebuild the client of {who}, {how.__name__[1:]}")
                whose = again.cat_file("whose")
                if whose != who.encode():
                    break
        else:
            continue
        case.fail(f"{who}'s client, rebuilt, is that of {whose.decode()!r}")


def _by_pickle(filesystem: Any) -> Any:
    return pickle.loads(pickle.dumps(filesystem))  # noqa: S301


def _by_json(filesystem: Any) -> Any:
    return type(filesystem).from_json(filesystem.to_json())


@clause("HOME-036", MUST, needs="permissions", hooks="raw location", guards="secrets")
def modes_keep_others_out(case: HomespaceCase) -> None:
    """Other users of the machine can neither read nor list nor change what is in a home."""
    home = case.home()
    home.pipe_file("folder/file", SECRET)
    home.write("opened", SECRET)
    home.put("put", SECRET)
    home.cp_file("opened", "copied")
    home.touch("touched")
    root = Path(case.hook("location", case.user()))
    made = ("folder", "folder/file", "opened", "put", "copied", "touched")
    for path in (root, *(root / name for name in made)):
        between = [root, *(each for each in reversed(path.parents) if root in each.parents)]
        for who, bits in (("others", 0o007), ("the group", 0o070)):
            passes = all(each.stat().st_mode & bits & 0o111 for each in between if each != path)
            mode = path.stat().st_mode
            case.saw(f"{path.name}: {stat.filemode(mode)}")
            reached = (path == root or passes) and mode & bits & 0o666
            case.require(not reached, f"{who} can reach {path.name}: {stat.filemode(mode)}")
