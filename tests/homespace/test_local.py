"""Homes that are directories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets.config import Config

from greyhub.errors import ConfigError, HomeError
from greyhub.homespace.local import LocalHomespace
from greyhub.hub import GreyHub
from greyhub.names import LONGEST, filename


def homes(directory: Path, **options: str) -> LocalHomespace:
    config = Config({"LocalHomespace": options})
    adapter = GreyHub(directory=directory, config=config).adapters["homespace"]
    assert isinstance(adapter, LocalHomespace)
    return adapter


@given(st.text(min_size=1).filter(lambda name: "\0" not in name and name.isprintable()))
def test_no_name_leaves_its_folder(name: str) -> None:
    made = filename(name)
    assert "/" not in made
    assert not made.startswith(".")
    assert len(made.encode()) <= LONGEST
    assert (Path("/homes") / made).parent == Path("/homes")


@given(
    st.lists(st.text(min_size=1, max_size=400).filter(lambda name: "\0" not in name), unique=True)
)
def test_no_two_names_share_a_home_even_where_case_is_not_told_apart(names: list[str]) -> None:
    try:
        made = [filename(name).lower() for name in names]
    except UnicodeEncodeError:
        return  # a lone surrogate is nobody's name
    assert len(set(made)) == len(names)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ada", "ada"),
        ("..", "%2E."),
        ("a/b", "a%2Fb"),
        ("ada@example.org", "ada%40example.org"),
        ("ADA", "%41%44%41"),
        ("é", "%C3%A9"),
        ("a%2fb", "a%252fb"),
    ],
)
def test_names_stay_readable(name: str, expected: str) -> None:
    assert filename(name) == expected


def test_a_new_home_is_private_and_has_the_welcome_files(directory: Path) -> None:
    (directory / "welcome/deep").mkdir(parents=True)
    (directory / "welcome/deep/hello.txt").write_text("hello")
    adapter = homes(directory, welcome="welcome")
    path = adapter.path("ada")
    adapter.make(path, None)
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "deep/hello.txt").read_text() == "hello"


def test_an_existing_home_is_left_alone(directory: Path) -> None:
    (directory / "welcome").mkdir()
    (directory / "welcome/hello.txt").write_text("hello")
    adapter = homes(directory, welcome="welcome")
    path = adapter.path("ada")
    adapter.make(path, None)
    (path / "hello.txt").write_text("mine")
    adapter.make(path, None)
    assert (path / "hello.txt").read_text() == "mine"
    (path / "hello.txt").unlink()
    adapter.make(path, None)
    assert not (path / "hello.txt").exists()


def test_a_failed_creation_leaves_no_half_home(directory: Path) -> None:
    (directory / "welcome").mkdir()
    (directory / "welcome/broken").symlink_to("nowhere")
    adapter = homes(directory, welcome="welcome")
    with pytest.raises(HomeError) as error:
        adapter.make(adapter.path("ada"), None)
    assert "welcome/broken" in str(error.value)
    assert list(adapter.directory.iterdir()) == []


def test_a_welcome_that_is_not_there_is_told_as_the_hub_starts(directory: Path) -> None:
    with pytest.raises(ConfigError) as error:
        homes(directory, welcome="nowhere").contribute()
    assert f"c.LocalHomespace.welcome: {directory}/nowhere is not a directory" in str(error.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make homes for other uids")
def test_a_home_belongs_to_its_user_and_a_strangers_is_refused(directory: Path) -> None:
    adapter = homes(directory)
    (directory / "greyhub-state").mkdir(mode=0o711)
    path = adapter.path("ada")
    adapter.make(path, 2_000_000)
    assert path.stat().st_uid == 2_000_000
    with pytest.raises(HomeError) as error:
        adapter.make(path, 2_000_001)
    assert "belongs to uid 2000000, and this user's uid is 2000001" in str(error.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make homes for other uids")
def test_a_home_that_its_owner_cannot_reach_is_refused(directory: Path) -> None:
    directory.chmod(0o700)
    adapter = homes(directory)
    with pytest.raises(HomeError) as error:
        adapter.make(adapter.path("ada"), 2_000_000)
    assert f"cannot be reached by its owner: {directory} lets nobody else pass" in str(error.value)


async def test_check_tells_that_homes_cannot_be_made(directory: Path) -> None:
    (directory / "taken").write_text("a file")
    adapter = homes(directory, root="taken")
    (finding,) = await adapter.check()
    assert finding.level == "error"
    assert "homes cannot be made in" in finding.message
    assert "c.LocalHomespace.root" in finding.fix
