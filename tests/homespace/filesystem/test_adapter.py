"""``c.GreyHub.homespace = "s3://homes/{username}"``: from the URL to the user's home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from greyhub.errors import HomeError
from greyhub.homespace import HomespaceAdapter
from greyhub.homespace.filesystem import Home
from greyhub.homespace.registry import HomeRegistry
from greyhub.names import filename
from tests.support.adapters import FakeHub, ticket


@pytest.fixture
def hub(tmp_path: Path) -> FakeHub:
    found = FakeHub.at(tmp_path)
    found.make_state()
    return found


def test_a_home_is_remembered_when_the_template_changes(hub: FakeHub) -> None:
    before = HomespaceAdapter(parent=hub, url="memory://homes/{username}")
    assert ticket(before, "ada")["url"] == "memory://homes/ada"
    after = HomespaceAdapter(parent=hub, url="memory://elsewhere/{username}")
    assert ticket(after, "ada")["url"] == "memory://homes/ada"
    assert ticket(after, "bob")["url"] == "memory://elsewhere/bob"


def test_a_table_that_cannot_be_read_gives_nobody_another_home(hub: FakeHub) -> None:
    adapter = HomespaceAdapter(parent=hub, url="memory://homes/{username}")
    for content in ("{", "[]", '{"ada": 1}'):
        (hub.private / "homes.json").write_text(content)
        with pytest.raises(HomeError, match="cannot be read"):
            ticket(adapter, "ada")
        assert (hub.private / "homes.json").read_text() == content


def test_connect_gives_a_home(hub: FakeHub) -> None:
    found = ticket(HomespaceAdapter(parent=hub, url="memory://homes/{username}"), "Ada Lovelace")
    home = HomespaceAdapter.connect(json.loads(json.dumps(found)))
    assert isinstance(home, Home)
    home.pipe("f", b"1")
    assert home.cat("f") == b"1"


def test_a_secret_is_a_reference(hub: FakeHub) -> None:
    url = "s3://homes/{username}"
    options = {"key": {"env": "K"}, "secret": {"file": "/run/secret"}}
    found = ticket(HomespaceAdapter(parent=hub, url=url, storage_options=options), "ada")
    assert found["storage_options"] == options
    with pytest.raises(TraitError) as refused:
        HomespaceAdapter(parent=hub, url=url, storage_options={"secret": "S3CR3T"})
    assert "S3CR3T" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["s3://homes/all", "s3://h/#{username}", "s3://h/?{username}", "s3://h/../{username}",
            "sftp://ada:S3CR3T@host/{username}"],
)  # fmt: skip
def test_a_template_that_is_not_safe_is_refused(hub: FakeHub, url: str) -> None:
    with pytest.raises(TraitError):
        HomespaceAdapter(parent=hub, url=url)


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@given(one=NAMES, two=NAMES)
def test_no_two_names_share_a_home_and_none_leaves_its_place(one: str, two: str) -> None:
    urls = ["s3://homes/{username}".replace("{username}", filename(name)) for name in (one, two)]
    assert (urls[0] == urls[1]) == (one == two)
    for url in urls:
        last = url.removeprefix("s3://homes/")
        assert last not in ("", ".", "..")
        assert "/" not in last


def test_two_hubs_do_not_lose_each_others_lines(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "homes.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: HomeRegistry(path).remember(f"u{n}", f"x://{n}"), range(40)))
    assert HomeRegistry(path).read() == {f"u{n}": f"x://{n}" for n in range(40)}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["homes.json", "homes.lock"]
