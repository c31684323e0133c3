"""A name is taken as it is: nothing is expanded, decoded, normalised or trimmed."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from greyhub.homespace.filesystem import Home
from tests.homespace.filesystem import servers
from tests.homespace.filesystem.places import Place

ODD = [
    "Grüße",
    "日本語",
    "\N{SNAKE}\N{SNAKE}",
    "with space",
    " leading",
    "trailing ",
    "a+b",
    "a&b=c",
    "100%",
    "%41",
    "%2e%2e",
    "%252F",
    "a#b",
    "it's",
    '"quoted"',
    "-rf",
    "--",
    "..a",
    "a..b",
    "...",
    "~",
    "~root",
    "$HOME",
    "`id`",
    "a:b",
    "file:",
    "s3::b",
    "a,b",
    "[ab]",
    "a*b",
    "*",
    "{a,b}",
    "!x",
    "@",
    "|",
    "<tag>",
    "x" * 200,
    "ö" * 100,
    ".hidden",
    "CON",
    unicodedata.normalize("NFC", "é"),
    unicodedata.normalize("NFD", "é"),
    "Case",
    "case",
]
HARD = [
    "a?b",
    "?",
    "a;b",
    "a\\b",
    "..\\x",
    "end.",
    "line\nbreak",
    "tab\tin",
    "\x01",
    "\x7f",
    "\ufffe",
]


def test_odd_names_come_back_as_they_are(place: Place, home: Home) -> None:
    names = [name for name in ODD if not (place.name == "azure" and name.endswith("."))]
    for number, name in enumerate(names):
        home.pipe(f"d/{name}", str(number).encode())
    assert set(home.ls("d", detail=False)) == {f"d/{name}" for name in names}
    assert set(home.find("")) == {f"d/{name}" for name in names}
    assert place.names() == {f"d/{name}" for name in names}
    for number, name in enumerate(names):
        path, content = f"d/{name}", str(number).encode()
        assert home.cat(path) == content
        assert home.info(path)["name"] == path
        assert place.read(path) == content
    for name in names[::5]:
        home.rm(f"d/{name}")
        names.remove(name)
        assert place.names() == {f"d/{name}" for name in names}
    home.rm([f"d/{name}" for name in names])
    assert place.names() == set()


def test_hard_names_come_back_as_they_are_or_are_refused(place: Place, home: Home) -> None:
    """No store may take them for other names: not to write, to read or to remove."""
    for name in HARD:
        if place.name == "s3" and servers.s3_program() and not XML.fullmatch(name):
            continue  # versitygw lists it as another: docs/reference/home.md
        is_itself_or_refused(place, home, name)
        home.rm(home.ls("", detail=False), recursive=True)


def is_itself_or_refused(place: Place, home: Home, name: str) -> None:
    near = {"a", "a/b", "ab", "end", "line", "x", "b", "tab in", "line break", "a;b"} - {name}
    near -= {"a;b"} if place.name == "webdav" else set()
    near -= {"a/b"}
    home.pipe(dict.fromkeys(near, b"near"))
    try:
        home.pipe(name, b"hard")
    except OSError:
        # A server that does not take the name may also say that nothing is there.
        with pytest.raises(OSError):  # noqa: PT011
            home.cat(name)
        assert place.names() == near
        return
    assert home.cat(name) == b"hard"
    assert set(home.ls("", detail=False)) == near | {name}
    home.mv(name, "d/moved")
    home.mv("d/moved", name)
    home.cp(name, f"d/{name}")
    assert home.cat(f"d/{name}") == b"hard"
    home.rm(name)
    home.rm("d", recursive=True)
    assert place.names() == near
    assert all(place.read(each) == b"near" for each in near)


XML = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
"""What the answers of a server may hold that does not encode names in them."""

CHARACTERS = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="/\0"), min_size=1, max_size=12
).filter(lambda name: name not in (".", "..") and not name.startswith(".greyhub"))


@pytest.mark.parametrize("place", ["local", "memory", "s3", "webdav", "sftp"], indirect=True)
@given(names=st.sets(CHARACTERS, min_size=1, max_size=4), text=st.binary(max_size=4))
@example(names={"a?b", "a"}, text=b"1")
@example(names={"%", "%25"}, text=b"1")
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_name(place: Place, home: Home, names: set[str], text: bytes) -> None:
    kept = set()
    if place.name == "s3" and servers.s3_program():
        names = {name for name in names if XML.fullmatch(name)}
    for name in names:
        try:
            home.pipe_file(name, text)
            kept.add(name)
        except OSError:
            assert not place.names() & {name}
    assert set(home.ls("", detail=False)) == kept
    assert place.names() == kept
    for name in kept:
        assert home.cat_file(name) == text
        home.rm_file(name)
    assert place.names() == set()


def test_patterns_are_names(place: Place, home: Home) -> None:
    files = {
        "a*b": b"star",
        "axb": b"x",
        "a[x]b": b"bracket",
        "*": b"all",
        "d/a*": b"1",
        "d/ab": b"2",
    }
    home.pipe(files)
    assert home.cat("a*b") == b"star"
    assert home.cat("a[x]b") == b"bracket"
    home.rm("a*b")
    assert place.names() == set(files) - {"a*b"}
    with pytest.raises(FileNotFoundError):
        home.rm("a*b")
    with pytest.raises(FileNotFoundError):
        home.cat("a*b")
    with pytest.raises(FileNotFoundError):
        home.rm("d/*", recursive=True)
    home.mv("*", "star")
    home.cp("d/a*", "copy*")
    assert place.read("copy*") == b"1"
    assert place.names() == {"axb", "a[x]b", "star", "d/a*", "d/ab", "copy*"}
    home.rm(["copy*", "star"])
    home.touch("[!]")
    assert home.isfile("[!]")
    home.rm("[!]")
    assert place.names() == {"axb", "a[x]b", "d/a*", "d/ab"}
    assert home.glob("a*") == ["a[x]b", "axb"]
    assert home.glob("**/a?") == ["d/a*", "d/ab"]


def test_local_names_are_names_too(place: Place, home: Home, tmp_path: Path) -> None:
    for name in ("a*", "ab"):
        (tmp_path / name).write_text(name)
    home.put(str(tmp_path / "a*"), "got")
    assert place.names() == {"got"}
    home.pipe({"r*": b"1", "rx": b"2"})
    home.get("r*", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == b"1"
    assert sorted(os.listdir(tmp_path)) == ["a*", "ab", "out"]


def test_removing_a_directory_leaves_its_neighbours(place: Place, home: Home) -> None:
    files = {"d/x": b"1", "d/e/f": b"1", "d2": b"1", "d.txt": b"1", "dd/x": b"1", "D/x": b"1"}
    home.pipe(files)
    home.mkdir("d/empty")
    home.rm("d", recursive=True)
    assert place.names() == set(files) - {"d/x", "d/e/f"}
    assert not home.exists("d")
    with pytest.raises(FileNotFoundError):
        home.rm("d", recursive=True)
    home.rm(["dd", "d2"], recursive=True)
    assert place.names() == {"d.txt", "D/x"}


def test_slashes_and_dots_that_are_no_names(place: Place, home: Home) -> None:
    home.pipe("a/b", b"1")
    for path in ("/a/b", "a//b", "./a/b", "a/./b", "a/b/", "//a/b"):
        assert home.cat(path) == b"1"
        assert home.info(path)["name"] == "a/b"
    assert home.ls("/", detail=False) == home.ls("", detail=False) == ["a"]
    assert home.ls("a/", detail=False) == ["a/b"]
    home.pipe(Path("p") / "q", b"2") if False else home.pipe("p/q", b"2")
    assert home.cat_file(Path("p") / "q") == b"2"
    assert home.cat_file(Path("/p/q")) == b"2"


def test_a_directory_of_many(place_of: Callable[[str], Place]) -> None:
    """More than one page of every store that has pages."""
    for name, number in [("memory", 10_000), ("local", 10_000), ("sftp", 3000)]:
        place = place_of(name)
        home = place.home()
        for each in range(number):
            if place.on_disk:
                (place.disk / "many").mkdir(exist_ok=True)
                (place.disk / f"many/{each}").touch()
            else:
                place.write(f"many/{each}", b"")
        assert len(home.ls("many")) == number
        assert len(home.find("")) == number
        home.rm("many", recursive=True)
        assert place.names() == set()


@pytest.mark.parametrize("place", ["s3", "azure"], indirect=True)
def test_many_pages(place: Place, home: Home) -> None:
    names = {f"many/{each}" for each in range(17)} | {f"many/{each}/x" for each in range(20, 25)}
    for name in names:
        place.write(name, b"")
    home.store.page = 4  # type: ignore[attr-defined]
    assert len(home.ls("many")) == 22
    assert set(home.find("")) == names
    home.rm("many", recursive=True)
    assert place.names() == set()
