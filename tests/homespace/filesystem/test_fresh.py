"""Nothing is shown from memory, and a home works in every process and thread."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from greyhub.homespace.filesystem import Home
from tests.homespace.filesystem.places import Place
from tests.support.waiting import MINUTE


def test_what_others_change_is_seen_at_once(place: Place) -> None:
    one, two = place.home(), place.home()
    assert one.ls("") == two.ls("") == []
    assert not two.exists("f")
    one.pipe("f", b"1")
    assert two.ls("", detail=False) == ["f"]
    assert two.cat("f") == b"1"
    assert two.info("f")["size"] == 1
    place.write("f", b"by another tool")
    assert one.cat("f") == two.cat("f") == b"by another tool"
    assert two.info("f")["size"] == 15
    with two.open("f") as file:
        assert file.read() == b"by another tool"
    place.write("d/g", b"2")
    assert two.find("") == one.find("") == ["d/g", "f"]
    place.delete("f")
    assert not one.exists("f")
    assert two.find("") == ["d/g"]
    with pytest.raises(FileNotFoundError):
        two.open("f")
    one.mv("d/g", "h")
    assert two.isfile("h")
    assert not two.exists("d/g")


def test_a_listing_is_right_after_every_change(home: Home) -> None:
    def names() -> set[str]:
        found = set(home.find("", withdirs=True))
        assert found >= set(home.ls("", detail=False))
        return {name for name in found if home.isfile(name)}

    home.pipe("a", b"1")
    assert names() == {"a"}
    home.cp("a", "b")
    assert names() == {"a", "b"}
    home.mv("a", "d/c")
    assert names() == {"b", "d/c"}
    home.rm("b")
    assert names() == {"d/c"}
    home.touch("e")
    assert names() == {"d/c", "e"}
    home.rm("d", recursive=True)
    assert names() == {"e"}
    home.mkdir("m")
    assert home.ls("", detail=False) == ["e", "m"]
    home.rmdir("m")
    assert home.ls("", detail=False) == ["e"]


CHILD = """
import pickle, sys
import tests.homespace.filesystem.places  # it knows one more kind of store
home = pickle.loads(bytes.fromhex(sys.argv[1]))
assert home.cat("f") == b"from the parent"
home.pipe("g", b"from the child")
with home.open("h", "w") as file:
    file.write("too")
file = pickle.loads(bytes.fromhex(sys.argv[2]))
assert file.read() == b"the parent"
"""


def python(*arguments: str) -> None:
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, *arguments], check=True, timeout=2 * MINUTE, cwd=root)


def test_a_home_goes_to_another_process(place: Place, home: Home) -> None:
    if "processes" not in home.can:
        assert place.name == "memory"
        return
    home.pipe("f", b"from the parent")
    with home.open("f") as file:
        file.seek(5)
        sent = [pickle.dumps(each).hex() for each in (home, file)]
    python("-c", CHILD, *sent)
    assert home.cat("g") == b"from the child"
    assert home.cat("h") == b"too"


FORK = """
import os, pickle, sys
import tests.homespace.filesystem.places  # it knows one more kind of store
home = pickle.loads(bytes.fromhex(sys.argv[1]))
home.pipe("f", b"1")
child = os.fork()
if child == 0:
    try:
        home.pipe("g", home.cat("f"))
    finally:
        os._exit(0 if home.exists("g") else 1)
assert os.waitpid(child, 0)[1] == 0
assert home.cat("g") == b"1"
home.pipe("f", b"2")
assert home.cat("f") == b"2"
"""


def test_a_home_survives_a_fork(place: Place, home: Home) -> None:
    """In a process of its own: the one that runs the tests has threads of others."""
    if "processes" not in home.can:
        assert place.name == "memory"
        return
    python("-W", "ignore::DeprecationWarning", "-c", FORK, pickle.dumps(home).hex())
    assert home.cat("g") == b"1"
    assert home.cat("f") == b"2"


def test_many_threads(place: Place, home: Home) -> None:
    turns = {"s3": 3, "azure": 3}.get(place.name, 8)

    def work(thread: int) -> None:
        numbers = random.Random(thread)
        mine: dict[str, bytes] = {}
        for turn in range(turns):
            name, content = f"t{thread}/{turn % 4}", numbers.randbytes(numbers.randrange(3000))
            home.pipe(name, content)
            mine[name] = content
            assert home.cat(name) == content
            assert set(home.ls(f"t{thread}", detail=False)) == set(mine)
            if turn % 4 == 3:
                home.mv(name, f"{name}-moved")
                mine[f"{name}-moved"] = mine.pop(name)
        for name, content in mine.items():
            with home.open(name) as file:
                assert file.read() == content

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(home.find("")) >= 16


@pytest.mark.slow
def test_open_files_of_many_threads(place_of: Callable[[str], Place]) -> None:
    """More files than an SSH server has channels for."""
    home = place_of("sftp").home()
    contents = {f"f{n}": os.urandom(100_000 + n) for n in range(12)}
    home.pipe(contents)
    files = [home.open(name) for name in contents]

    def read(job: tuple[object, bytes]) -> bool:
        return job[0].read() == job[1]  # type: ignore[attr-defined]

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(read, zip(files, contents.values(), strict=True)))
    for file in files:
        file.close()
