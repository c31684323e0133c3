"""How a server has its home: chosen by the URL, or by ``c.HomespaceAdapter.mode``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from traitlets import TraitError

from greyhub.errors import HomeError
from greyhub.homespace import HomespaceAdapter
from greyhub.homespace.sync.supervisor import place_of
from greyhub.sizes import size_of
from tests.homespace.filesystem.places import Plain
from tests.support.adapters import FakeHub, ticket


@pytest.fixture
def hub(tmp_path: Path) -> FakeHub:
    return FakeHub.at(tmp_path)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("s3://homes/{username}", "sync"),
        ("abfs://homes/{username}", "sync"),
        ("gs://homes/{username}", "sync"),
        ("file:///srv/{username}", "native"),
        ("memory://{username}", "object"),
        ("sftp://host/{username}", "sync"),
        ("webdav://homes/{username}", "sync"),
    ],
)
def test_the_url_decides(hub: FakeHub, url: str, mode: str) -> None:
    assert HomespaceAdapter(parent=hub, url=url).kept == mode


def test_the_administrator_decides_otherwise(hub: FakeHub) -> None:
    plain = HomespaceAdapter(parent=hub, url="s3://homes/{username}", mode="object")
    assert set(ticket(plain)) == {"url", "storage_options"}
    copied = HomespaceAdapter(parent=hub, url="file:///srv/{username}", mode="sync")
    assert ticket(copied, "Bob")["mode"] == "sync"


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("s3://homes/{username}", "native"),
        ("memory://{username}", "sync"),
        ("sftp://host/{username}", "native"),
        ("s3://homes/{username}", "fuse"),
    ],
)
def test_what_cannot_be_is_refused(hub: FakeHub, url: str, mode: str) -> None:
    with pytest.raises(TraitError):
        HomespaceAdapter(parent=hub, url=url, mode=mode)


def test_spawners_are_told_to_wait_for_the_last_saves(hub: FakeHub) -> None:
    told = HomespaceAdapter(parent=hub, url="s3://homes/{username}", grace=100).contribute().config
    assert told["KubeSpawner"]["delete_grace_period"] > 100
    assert told["LocalProcessSpawner"]["term_timeout"] > 100
    assert not HomespaceAdapter(parent=hub, url="memory://{username}").contribute().config


def test_a_server_elsewhere_finds_its_own_place(hub: FakeHub) -> None:
    url = "s3://homes/{username}"
    assert ticket(HomespaceAdapter(parent=hub, url=url))["directory"] == ""
    copies = HomespaceAdapter(parent=hub, url=url, copies="/scratch/")
    assert ticket(copies)["directory"] == "/scratch/%41da"
    assert not (hub.state / "copies").exists()


def test_a_server_here_has_a_place_in_the_hubs_state(hub: FakeHub, directory: Path) -> None:
    hub.servers_here, hub.directory = True, directory
    uid = os.geteuid()
    place = Path(
        ticket(HomespaceAdapter(parent=hub, url="s3://h/{username}"), uid=uid)["directory"]
    )
    assert place == hub.state / "copies/%41da"
    assert (place.stat().st_uid, place.stat().st_mode & 0o777) == (uid, 0o700)


@pytest.mark.root
def test_nobody_elses_directory_becomes_a_home(hub: FakeHub, directory: Path) -> None:
    hub.servers_here, hub.directory = True, directory
    (directory / "copies/%41da").mkdir(parents=True)
    with pytest.raises(HomeError, match="belongs to uid 0"):
        ticket(HomespaceAdapter(parent=hub, url="s3://h/{username}"), uid=2_000_000)


def test_the_quota_is_part_of_the_ticket(hub: FakeHub) -> None:
    adapter = HomespaceAdapter(parent=hub, url="s3://h/{username}", quota="1.5 GB", quota_files=10)
    assert ticket(adapter)["quota"] == {"bytes": 1_500_000_000, "files": 10}
    with pytest.raises(TraitError, match="no size"):
        HomespaceAdapter(parent=hub, url="s3://h/{username}", quota="much")


def test_a_filesystem_that_is_registered_as_a_class_is_known(hub: FakeHub) -> None:
    url = f"{Plain.protocol}:///srv/{{username}}"
    assert HomespaceAdapter(parent=hub, url=url).url == url
    with pytest.raises(TraitError, match="no package here knows the protocol 'plian'"):
        HomespaceAdapter(parent=hub, url=url.replace("plain", "plian"))


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 0), ("7", 7), ("10 GB", 10**10), ("2MiB", 2 << 20), ("3 tib", 3 << 40), ("5 kB", 5000),
     ("1 B", 1), ("4G", 4 * 10**9)],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["-1", "GB", "1 XB", "1 000", "1e9"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="no size"):
        size_of(text)


def test_by_default_a_copy_stands_in_the_accounts_home(tmp_path: Path) -> None:
    given = {"directory": "", "url": "s3://homes/ada"}
    place = place_of(given, {"HOME": str(tmp_path)})
    assert place.parent == tmp_path / ".local/share/greyhub"
    assert place.stat().st_mode & 0o777 == 0o700
    assert place_of(given, {"HOME": str(tmp_path)}) == place
    assert place_of({**given, "url": "s3://homes/bob"}, {"HOME": str(tmp_path)}) != place


def test_without_a_home_it_stands_where_temporary_files_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    given = {"directory": "", "url": "s3://homes/ada"}
    place = place_of(given, {"HOME": "/"})
    assert place.parent == tmp_path
    place.chmod(0o777)  # where everybody may write, somebody else may have been first
    with pytest.raises(HomeError, match="not this user's alone"):
        place_of(given, {"HOME": "/"})
