"""A home whose user is deleted: exactly this one goes, and nothing that is another's."""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from greyhub.errors import ConfigError, HomeError
from greyhub.homespace import HomespaceAdapter
from greyhub.homespace.deletion import TRASH, remove_home
from greyhub.homespace.local import LocalHomespace
from greyhub.homespace.registry import HomeRegistry
from greyhub.hub import GreyHub
from tests.homespace.filesystem.places import matrix
from tests.support.adapters import FakeHub
from tests.support.hubs import running
from tests.support.waiting import until

STORES = matrix("local", "s3", "azure", "memory", "sftp", "webdav", "other")
LONG_AGO = datetime(2020, 2, 2, tzinfo=UTC)


@pytest.fixture
def hub(tmp_path: Path) -> FakeHub:
    found = FakeHub.at(tmp_path)
    found.make_state()
    return found


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, place_of) -> Any:
    return place_of(request.param)


def filled(place: Any, *more: str) -> list[str]:
    """Homes of users whose names begin alike; the first one is to go."""
    users = [place.user, f"{place.user}2", f"{place.user}-x", place.user[:-1], *more]
    for user in users:
        home = place.home(user)
        home.pipe("a/b/c.txt", user.encode())
        home.pipe(f"a*[{user}]%41", b"odd")
        home.pipe("d", b"")
    return users


def intact(place: Any, users: list[str]) -> bool:
    names = [place.names(user) for user in users]
    right = all(place.read("a/b/c.txt", user) == user.encode() for user in users)
    return right and all(len(each) == 3 for each in names)


def adapter_of(place: Any, hub: FakeHub, **options: Any) -> HomespaceAdapter:
    return HomespaceAdapter(
        parent=hub, url=place.template, storage_options=dict(place.options), **options
    )


def names_of_store(place: Any, folder: str) -> set[str]:
    return place.oracle.names(f"{place.top}{folder}".rstrip("/"))


@pytest.mark.parametrize("place", STORES[:6], indirect=True)
def test_exactly_one_is_removed(place: Any, hub: FakeHub) -> None:
    user, *others = filled(place)
    adapter = adapter_of(place, hub, deletion="remove")
    HomeRegistry(hub.private / "homes.json").remember(user, place.url(user))
    asyncio.run(adapter.delete_user(user))
    assert place.names(user) == set()
    assert intact(place, others)
    assert HomeRegistry(hub.private / "homes.json").read() == {}
    asyncio.run(adapter.delete_user(user))  # once more does nothing
    assert intact(place, others)


@pytest.mark.parametrize("place", STORES[:6], indirect=True)
def test_exactly_one_goes_to_the_trash_and_leaves_it_in_time(place: Any, hub: FakeHub) -> None:
    user, *others = filled(place)
    where = remove_home(place.url(user), place.options, 30, now=LONG_AGO)
    assert where.endswith(f"{TRASH}/2020-02-02/{user}")
    assert place.names(user) == set()
    assert intact(place, others)
    trash = names_of_store(place, f"{TRASH}/2020-02-02")
    assert {f"{user}/a/b/c.txt", f"{user}/d"} <= trash
    place.home(user).pipe("new", b"of another person of that name")
    again = remove_home(place.url(user), place.options, 30, now=LONG_AGO + timedelta(days=20))
    assert again.endswith(f"{TRASH}/2020-02-22/{user}")
    assert trash <= names_of_store(place, f"{TRASH}/2020-02-02")
    remove_home(place.url(user), place.options, 30, now=LONG_AGO + timedelta(days=40))
    assert names_of_store(place, f"{TRASH}/2020-02-02") == set()
    assert names_of_store(place, f"{TRASH}/2020-02-22") == {f"{user}/new"}
    assert intact(place, others)


def test_the_trash_never_overwrites(place_of) -> None:
    for place in map(place_of, ("local", "s3")):
        for _ in range(2):
            place.home().pipe("file", b"x")
            remove_home(place.url(), place.options, 30, now=LONG_AGO)
        names = names_of_store(place, f"{TRASH}/2020-02-02")
        assert {f"{place.user}/file", f"{place.user}.2/file"} <= names


def test_by_default_everything_stays(place_of, hub: FakeHub) -> None:
    place = place_of("local")
    users = filled(place)
    asyncio.run(adapter_of(place, hub).delete_user(users[0]))
    assert intact(place, users)


def test_a_home_that_is_not_there(place: Any, hub: FakeHub) -> None:
    others = filled(place)
    for how in ("trash", "remove"):
        asyncio.run(adapter_of(place, hub, deletion=how).delete_user(f"{place.user}-nobody"))
    assert intact(place, others)


@pytest.mark.parametrize("how", ["trash", "remove"])
def test_nothing_goes_through_a_link(tmp_path: Path, how: str) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "file").write_bytes(b"precious")
    config = Config({"LocalHomespace": {"deletion": how}, "GreyHub": {"state_dir": str(tmp_path)}})
    homes = GreyHub(directory=tmp_path, config=config).adapters["homespace"]
    assert isinstance(homes, LocalHomespace)
    homes.directory.mkdir()
    homes.path("ada").symlink_to(outside)
    with pytest.raises(HomeError, match="is a link"):
        asyncio.run(homes.delete_user("ada"))
    assert homes.path("ada").is_symlink()
    homes.path("bob").mkdir()
    (homes.path("bob") / "out").symlink_to(outside)
    (homes.path("bob") / "closed").mkdir(mode=0o500)
    asyncio.run(homes.delete_user("bob"))
    assert not homes.path("bob").exists()
    assert (outside / "deep" / "file").read_bytes() == b"precious"
    if how == "trash":
        assert (homes.directory / TRASH).stat().st_mode & 0o777 == 0o700


def test_what_is_also_another_ones_stays(place_of, hub: FakeHub) -> None:
    place = place_of("s3")
    team, other = f"{place.user}t", place.user
    place.home(team).pipe("x", b"1")
    table = HomeRegistry(hub.private / "homes.json")
    table.remember(team, place.url(team))
    for theirs in (
        place.url(team),
        f"{place.url(team)}/homes/ada",
        place.url(team).rpartition("/")[0],
    ):
        table.move(other, theirs)
        with pytest.raises(HomeError, match="Nothing was removed"):
            asyncio.run(adapter_of(place, hub, deletion="remove").delete_user(team))
        assert place.names(team) == {"x"}
    table.move(other, f"{place.url(team)}2")  # begins alike, and is beside it
    asyncio.run(adapter_of(place, hub, deletion="remove").delete_user(team))
    assert place.names(team) == set()


def test_it_is_the_home_that_is_remembered(place_of, hub: FakeHub) -> None:
    place = place_of("memory")
    user, *others = filled(place)
    HomeRegistry(hub.private / "homes.json").remember("ada", place.url(user))
    asyncio.run(adapter_of(place, hub, deletion="remove").delete_user("ada"))
    assert place.names(user) == set()
    assert intact(place, others)


def test_killed_in_the_middle_nothing_is_lost(place_of, monkeypatch: pytest.MonkeyPatch) -> None:
    from greyhub.homespace.stores.s3 import S3Store

    place = place_of("s3")
    user, *others = filled(place)
    original, calls = S3Store.delete, []

    def killed(self: Any, entries: Any) -> None:
        entries = list(entries)
        calls.append(entries)
        original(self, entries[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(S3Store, "delete", killed)
    with pytest.raises(KeyboardInterrupt):
        remove_home(place.url(user), place.options, 30, now=LONG_AGO)
    monkeypatch.undo()
    assert names_of_store(place, f"{TRASH}/2020-02-02")
    assert 0 < len(place.names(user)) < 3
    remove_home(place.url(user), place.options, 30, now=LONG_AGO)
    assert place.names(user) == set()
    trash = names_of_store(place, f"{TRASH}/2020-02-02")
    assert f"{user}/a/b/c.txt" in trash
    assert f"{user}/d" in trash
    assert intact(place, others)


def test_what_was_half_removed_goes_the_next_time(tmp_path: Path) -> None:
    half = tmp_path / "homes" / TRASH / "going" / "1234"
    half.mkdir(parents=True)
    (half / "file").write_bytes(b"x")
    (tmp_path / "homes" / "ada").mkdir()
    remove_home(str(tmp_path / "homes" / "ada"), {}, 0)
    assert not half.exists()
    assert os.listdir(tmp_path / "homes") == [TRASH]


def test_the_working_copy_leaves_too(tmp_path: Path) -> None:
    config = Config(
        {
            "GreyHub": {"state_dir": str(tmp_path / "state"), "homespace": "s3://homes/{username}"},
            "HomespaceAdapter": {"deletion": "remove", "copies": str(tmp_path / "copies")},
        }
    )
    adapter = GreyHub(directory=tmp_path, config=config).adapters["homespace"]
    for user in ("ada", "ada2"):
        (tmp_path / "copies" / user).mkdir(parents=True)
    copy = adapter.copy_of("ada")
    assert copy is not None
    assert adapter.copy_of("nobody") is None
    remove_home(str(copy), {}, 0)
    assert adapter.copy_of("ada") is None
    assert adapter.copy_of("ada2") is not None


def test_a_bucket_for_each_user_is_refused(tmp_path: Path) -> None:
    config = Config(
        {
            "GreyHub": {"homespace": "s3://{username}"},
            "HomespaceAdapter": {"deletion": "trash"},
        }
    )
    with pytest.raises(ConfigError, match="nothing beside it"):
        GreyHub(directory=tmp_path, config=config).adapters["homespace"].contribute()


@pytest.mark.slow
def test_with_a_real_hub_a_home_leaves_with_its_user_only(directory: Path) -> None:

    with running(directory, "c.LocalHomespace.deletion = 'trash'") as hub:
        hub.spawn("ada", "named")
        homes = hub.state / "homes"
        (homes / "ada" / "kept.txt").write_text("kept")
        (homes / "ada2").mkdir()
        hub.stop_server("ada", "named")
        hub.api("DELETE", "users/ada/servers/named", json={"remove": True})
        until(lambda: "named" not in hub.api("GET", "users/ada")["servers"])
        assert (homes / "ada" / "kept.txt").read_text() == "kept"
        hub.api("DELETE", "users/ada")
        assert not (homes / "ada").exists()
        assert (homes / "ada2").is_dir()
        [there] = (homes / TRASH).glob("*/ada/kept.txt")
        assert there.read_text() == "kept"
        hub.api("POST", "users/bob")
        hub.api("DELETE", "users/bob")  # who never had a home
        assert "Error cleaning up" not in hub.log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")
@pytest.mark.parametrize("days", [0, 30])
def test_what_its_owner_may_not_write_to_goes_too(days: int) -> None:
    """Go's modules are read-only, for one. A link to such a directory is left alone."""
    with tempfile.TemporaryDirectory() as top:
        home, beside = Path(top) / "homes" / "ada", Path(top) / "beside"
        (home / "mod" / "deep").mkdir(parents=True)
        (home / "mod" / "deep" / "x.go").write_text("")
        beside.mkdir()
        (home / "link").symlink_to(beside)
        for path in (Path(top), home.parent, *home.rglob("*"), home, beside):
            os.chown(path, 65534, 65534, follow_symlinks=False)
        for path in (home / "mod" / "deep", home / "mod", home, beside):
            path.chmod(0o500)
        os.seteuid(65534)
        try:
            where = remove_home(str(home), {}, days)
        finally:
            os.seteuid(0)
        assert not home.exists()
        assert stat.S_IMODE(beside.stat().st_mode) == 0o500
        if days:
            moved = Path(where.removeprefix("file://"))
            assert stat.S_IMODE(moved.stat().st_mode) == 0o500
            assert (moved / "mod" / "deep" / "x.go").exists()
