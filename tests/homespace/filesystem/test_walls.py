"""No path leads out of a home, no user's home is another's, and no secret is shown."""

from __future__ import annotations

import copy
import json
import os
import pickle
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec
import pytest

from greyhub.errors import HomeError
from greyhub.homespace.filesystem import Home
from greyhub.homespace.secret_references import Secrets
from greyhub.homespace.stores import PART
from greyhub.secret_references import literal_secrets
from tests.homespace.filesystem.places import Place, matrix
from tests.support.waiting import MINUTE

SECRET = b"of the victim"


def ways_out(place: Place, victim: str) -> list[str]:
    """Paths by which somebody could try to reach the victim's file."""
    real = place.inside("secret", victim)
    name = real.split("/")[-2]
    found = [
        f"../{name}/secret",
        f"../../{real}",
        f"x/../../{name}/secret",
        f"./../{name}/secret",
        f"/../{name}/secret",
        f"//{name}/secret",
        f"/{real}",
        real,
        f"..\\{name}\\secret",
        f"%2e%2e/{name}/secret",
        f"..%2f{name}%2fsecret",
        f"%2e%2e%2f{name}%2fsecret",
        f"..;/{name}/secret",
        f"..\u2215{name}\u2215secret",
        f"\uff0e\uff0e/{name}/secret",
        place.url(victim) + "/secret",
        f"{place.url()}/../{name}/secret",
    ]
    if place.on_disk:
        found += [f"{place.oracle.root}/{real}", f"file://{place.oracle.root}/{real}"]  # type: ignore[attr-defined]
    return found


def test_no_path_reaches_another_home(place: Place) -> None:
    victim = f"{place.user}v"
    mine, theirs = place.home(), place.home(victim)
    theirs.pipe("secret", SECRET)
    reads = [mine.cat, mine.info, mine.open, mine.ls]
    finds = [mine.glob, mine.find, lambda path: [name for name, _, _ in mine.walk(path)]]
    writes: list[Callable[[str], Any]] = [
        lambda path: mine.pipe(path, b"broken"),
        lambda path: mine.rm(path, recursive=True),
        lambda path: mine.mv("mine", path),
        lambda path: mine.mv(path, "stolen"),
        lambda path: mine.cp(path, "stolen"),
        lambda path: mine.cp("mine", path),
        lambda path: mine.put_file(__file__, path),
        mine.touch,
        mine.mkdir,
    ]
    paths = ways_out(place, victim)
    if place.name not in ("local", "memory"):  # paths are read before the store is asked
        paths, reads, finds, writes = paths[6:12], reads[:1], finds[1:2], writes[:3]
    for path in paths:
        for read in reads:
            with pytest.raises((OSError, ValueError)):
                read(path)
        for find in finds:
            with suppress(OSError, ValueError):
                assert find(path) in ([], [path])
        for write in writes:
            mine.pipe("mine", b"1")
            with suppress(OSError, ValueError):
                write(path)
            assert SECRET not in [place.read(name) for name in place.names()], path
        assert place.names(victim) == {"secret"}, path
        assert place.read("secret", victim) == SECRET, path
        mine.rm(mine.ls("", detail=False), recursive=True)


def test_two_users_have_two_homes(place: Place) -> None:
    users = [f"{place.user}{suffix}" for suffix in ("a", "A", "a%", "a/b", "a/../b", "ä", "..")]
    homes = [place.home(user) for user in users]
    for number, home in enumerate(homes):
        home.pipe("same", str(number).encode())
    for number, (user, home) in enumerate(zip(users, homes, strict=True)):
        assert home.cat("same") == str(number).encode()
        assert home.find("") == ["same"]
        assert place.read("same", user) == str(number).encode()


def test_a_home_is_no_prefix_of_another(place: Place) -> None:
    one, longer = place.home(place.user), place.home(f"{place.user}2")
    longer.pipe("f", b"theirs")
    one.pipe("g", b"mine")
    assert one.find("") == ["g"]
    assert one.ls("", detail=False) == ["g"]
    one.rm(one.ls("", detail=False), recursive=True)
    assert place.names(f"{place.user}2") == {"f"}


def test_greyhubs_own_names_are_kept_out_of_sight(place: Place, home: Home) -> None:
    place.write(".greyhub/meta", b"1")
    place.write("visible", b"1")
    assert home.find("") == ["visible"]
    assert home.ls("", detail=False) == ["visible"]
    for path in (".greyhub", ".greyhub/meta", f"{PART}x", f"d/{PART}x"):
        for call in (home.cat, home.rm, home.touch, home.mkdir):
            with pytest.raises(PermissionError):
                call(path)
    home.pipe("d/.greyhub", b"a user's own, further down")
    assert home.find("") == ["d/.greyhub", "visible"]


def test_keys_that_are_no_paths_are_not_shown(place_of: Callable[[str], Place]) -> None:
    for name in ("s3", "memory"):
        place = place_of(name)
        home = place.home()
        for key in ("a/../../../b", "x//y", "./z", "fine"):
            place.oracle.write(place.inside("") + "/" + key, b"1")
        assert home.find("") == ["fine"]
        assert {each["name"] for each in home.ls("")} <= {"a", "x", "fine"}


class TestLinks:
    """Links on stores that have them."""

    @pytest.fixture(params=matrix("local", "sftp"))
    def place(self, request: pytest.FixtureRequest, stores: Callable[[str], Place]) -> Place:
        return stores(request.param)

    @pytest.fixture
    def outside(self, place: Place) -> Path:
        """A directory beside the home, with a secret."""
        found = place.disk.parent / f"{place.user}-outside"
        found.mkdir(parents=True)
        (found / "secret").write_bytes(SECRET)
        return found

    @pytest.mark.parametrize("absolute", [True, False])
    def test_out_of_the_home_is_not_followed(
        self, place: Place, home: Home, outside: Path, absolute: bool
    ) -> None:
        to = outside if absolute else Path("..") / outside.name
        (place.disk / "dir").symlink_to(to)
        (place.disk / "file").symlink_to(to / "secret")
        (place.disk / "up").symlink_to("..")
        (place.disk / "new").symlink_to(to / "new")
        (place.disk / "twice").symlink_to("dir")
        home.pipe("mine", b"1")
        for path in ("dir/secret", "file", f"up/{outside.name}/secret", "twice/secret"):
            for call in (home.cat, home.open, home.touch, lambda p: home.pipe(p, b"broken")):
                with pytest.raises(PermissionError, match="leads out"):
                    call(path)
            with pytest.raises(PermissionError):
                home.cp(path, "stolen")
            with pytest.raises(PermissionError):
                home.cp("mine", path)
        for path in ("dir/new", "new"):
            with pytest.raises(PermissionError):
                home.pipe(path, b"broken")
        for call in (lambda: home.rm("dir/secret"), lambda: home.mv("dir/secret", "stolen"),
                     lambda: home.mkdir("dir/made"), lambda: home.ls("dir"),
                     lambda: home.mv("mine", "dir/mine")):  # fmt: skip
            with pytest.raises(PermissionError):
                call()
        if "append" in home.can:
            with pytest.raises(PermissionError):
                with_append(home, "file")
        assert home.info("dir")["type"] == "link"
        assert home.find("") == ["dir", "file", "mine", "new", "twice", "up"]
        assert [each for _, each, _ in home.walk("")] == [[]]
        home.get("", str(outside.parent / f"{place.user}-got"), recursive=True)
        got = outside.parent / f"{place.user}-got"
        assert [path.name for path in got.rglob("*")] == ["mine"]
        assert [path.name for path in outside.iterdir()] == ["secret"]
        assert (outside / "secret").read_bytes() == SECRET

    def test_within_the_home_is_followed(self, place: Place, home: Home) -> None:
        home.pipe({"d/f": b"1", "target": b"2"})
        (place.disk / "dir").symlink_to("d")
        (place.disk / "file").symlink_to(place.disk / "target")
        (place.disk / "d" / "up").symlink_to("../target")
        (place.disk / "loop").symlink_to("loop")
        (place.disk / "nowhere").symlink_to("missing")
        (place.disk / "self").symlink_to(".")
        assert home.cat("dir/f") == b"1"
        assert home.cat("file") == home.cat("d/up") == b"2"
        assert home.info("file")["type"] == "file"
        assert home.info("dir")["type"] == "directory"
        assert home.info("nowhere")["type"] == home.info("loop")["type"] == "link"
        # SFTP has no word for a loop: OpenSSH answers that there is no such file.
        told = "No such file" if place.name == "sftp" else "link"
        with pytest.raises(OSError, match=told):
            home.cat("loop")
        home.pipe("file", b"3")
        assert (place.disk / "file").is_symlink()
        assert home.cat("target") == b"3"
        home.pipe("dir/g", b"4")
        assert home.cat("d/g") == b"4"
        assert {each for each in home.find("") if each.startswith("self")} == {"self"}

    def test_removing_and_moving_a_link_does_it_to_the_link(
        self, place: Place, home: Home, outside: Path
    ) -> None:
        home.pipe("d/f", b"1")
        for name, to in (("in", "d"), ("out", str(outside)), ("gone", "missing")):
            (place.disk / name).symlink_to(to)
            home.mv(name, f"moved-{name}")
            assert os.readlink(place.disk / f"moved-{name}") == to
            home.rm(f"moved-{name}", recursive=True)
        (place.disk / "d" / "out").symlink_to(outside)
        home.rm("d", recursive=True)
        assert os.listdir(place.disk) == []
        assert (outside / "secret").read_bytes() == SECRET

    def test_an_exclusive_file_does_not_follow_a_link(self, place: Place, home: Home) -> None:
        (place.disk / "nowhere").symlink_to("missing")
        with pytest.raises(FileExistsError):
            home.pipe_file("nowhere", b"1", mode="create")
        assert not home.exists("missing")


def with_append(home: Home, path: str) -> None:
    with home.open(path, "ab") as file:
        file.write(b"broken")


def test_a_link_that_is_put_there_at_the_worst_moment_leads_nowhere(
    place_of: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the walk to a directory and the last step, the directory becomes a link."""
    place = place_of("local")
    home = place.home()
    outside = place.disk.parent / f"{place.user}-outside"
    outside.mkdir()
    home.pipe("d/f", b"old")
    real, (before, after) = os.rename, (place.disk / "d", place.disk / "moved")

    def swapped(*args: Any, **kwargs: Any) -> None:
        if before.is_dir() and not before.is_symlink():
            real(before, after)
            before.symlink_to(outside)
        real(*args, **kwargs)

    monkeypatch.setattr(os, "rename", swapped)
    home.pipe("d/f", b"new")
    monkeypatch.undo()
    assert list(outside.iterdir()) == []
    assert (after / "f").read_bytes() == b"new"


def test_other_users_of_the_machine_cannot_look(place_of: Callable[[str], Place]) -> None:
    for name in ("local", "sftp"):
        place = place_of(name)
        place.home()
        assert place.disk.stat().st_mode & 0o077 == 0


def test_no_one_is_handed_another_ones_instance(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, again = place.home(), place.home()
    assert one is not again
    assert one == again
    assert one.store is not again.store
    if one.store.client is not None:
        client = getattr(one.store.client, "ssh", one.store.client)
        assert client is not getattr(again.store.client, "ssh", again.store.client)
    assert place.home(f"{place.user}x") != one


def test_no_secret_is_shown(place: Place, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.pipe("f", b"1")
    secrets = home.store.secrets
    secrets.read()
    shown = [
        repr(home), str(home), home._repr_html_(), home.to_json(),
        home.to_json(include_password=False), pickle.dumps(home).decode("latin-1"),
        repr(home.storage_options), str(home.to_dict()),
    ]  # fmt: skip
    kept = type(home.store).understand

    def leak(self: Any, error: Exception) -> OSError | None:
        found = kept(self, error)
        secret = " ".join(secrets._seen)
        return OSError(5, f"signature of {secret} is wrong") if found is not None else None

    if secrets._seen:
        monkeypatch.setattr(type(home.store), "understand", leak)
    for call in (home.cat, home.info, home.rm):
        try:
            call("missing")
        except OSError:
            shown.append(traceback.format_exc())
    assert len(shown) > 8
    for text in shown:
        for secret in secrets._seen:
            assert secret not in text
            assert fsspec.utils.tokenize(secret) not in text
    if place.name in ("s3", "azure", "webdav"):
        assert secrets._seen


@pytest.mark.parametrize(
    "options",
    [
        {"secret": "S3CR3T"},
        {"key": "S3CR3T"},
        {"account_key": "S3CR3T"},
        {"connection_string": "S3CR3T"},
        {"client_kwargs": {"aws_secret_access_key": "S3CR3T"}},
        {"auth": ["ada", "S3CR3T"]},
        {"headers": {"Authorization": "S3CR3T"}},
        {"password": "S3CR3T"},
        {"sas_token": "S3CR3T"},
        {"token": {"env": "A", "default": "S3CR3T"}},
    ],
)
def test_a_secret_itself_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="holds a secret") as found:
        Home("memory://homes/ada", options)
    assert "S3CR3T" not in str(found.value)


def test_a_password_in_the_url_is_refused() -> None:
    with pytest.raises(ValueError, match="password") as found:
        Home("sftp://ada:S3CR3T@host/home")
    assert "S3CR3T" not in str(found.value)


def test_what_is_no_secret_is_taken() -> None:
    fine = {
        "anon": True, "key_filename": "~/.ssh/id", "host_key": "ssh-ed25519 AAAA", "token": None,
        "auth": ["ada", {"env": "P"}], "client_kwargs": {"region_name": "x"},
    }  # fmt: skip
    assert list(literal_secrets(fine)) == []


def test_references_are_read_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    monkeypatch.setenv("ADA_KEY", "from the environment")
    secrets = Secrets({"key": {"env": "ADA_KEY"}, "deep": {"token": {"file": str(file)}}})
    assert secrets.read() == {"key": "from the environment", "deep": {"token": "one"}}
    file.write_text("two")
    assert secrets.read()["deep"] == {"token": "two"}
    assert secrets.hide("one and two") == "*** and ***"
    monkeypatch.delenv("ADA_KEY")
    with pytest.raises(HomeError, match="the variable ADA_KEY, which is not set"):
        secrets.read()
    file.write_text("")
    with pytest.raises(HomeError, match="which is empty"):
        Secrets({"token": {"file": str(file)}}).read()
    with pytest.raises(HomeError, match="cannot be read: No such file"):
        Secrets({"token": {"file": str(tmp_path / "none")}}).read()


def test_a_missing_credential_says_which(place_of: Callable[[str], Place]) -> None:
    home = place_of("s3").home(secret={"env": "NOT_THERE"})
    for call in (home.cat, home.ls, home.exists):
        with pytest.raises(HomeError, match="NOT_THERE"):
            call("f")
    assert "NOT_THERE" in repr(home)


def test_copies_and_json_lead_to_the_same_home(place: Place, home: Home) -> None:
    home.pipe("f", b"1")
    for other in (copy.copy(home), pickle.loads(pickle.dumps(home)), Home.from_json(home.to_json()),
                  fsspec.AbstractFileSystem.from_dict(home.to_dict())):  # fmt: skip
        assert isinstance(other, Home)
        assert other == home
        assert hash(other) == hash(home)
        assert other.cat("f") == b"1"
    assert json.loads(home.to_json())["args"] == [place.url(), {**place.options}, MINUTE]
