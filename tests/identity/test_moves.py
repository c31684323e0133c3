"""Homes of users who are renamed, by where homes are."""

from __future__ import annotations

from pathlib import Path

import pytest

from greyhub.errors import HomeError
from greyhub.homespace import HomespaceAdapter
from greyhub.homespace.kubernetes import KubernetesHomespace
from greyhub.homespace.local import LocalHomespace
from greyhub.homespace.migrate.users import PlatformHomes
from greyhub.identity.moves import Move, carry_out, plan
from tests.identity.databases import identities
from tests.support.adapters import FakeHub


@pytest.fixture
def hub(tmp_path: Path) -> FakeHub:
    made = FakeHub.at(tmp_path)
    made.make_state()
    return made


def renamed(hub: FakeHub, homes: HomespaceAdapter) -> Move:
    return plan(hub.private, homes, "ada", "countess", user_too=True, with_home=True)


def test_a_claim_is_its_user_s_and_a_directory_of_a_shared_one_follows(hub: FakeHub) -> None:
    with pytest.raises(HomeError, match="is marked with their name"):
        renamed(hub, KubernetesHomespace(parent=hub))
    shared = KubernetesHomespace(parent=hub, shared_claim="homes")
    before = shared.home_of("ada")
    with identities(None, "ada") as table:
        carry_out(renamed(hub, shared), hub.private, table)
    assert shared.home_of("countess") == before


class Elsewhere(HomespaceAdapter):
    """Another package's, which does not ask the registry."""

    def home_of(self, username: str, *, remembered: bool = True) -> str:
        return f"s3://elsewhere/{username}"


def test_of_another_package_s_homes_it_is_not_known_that_they_follow(hub: FakeHub) -> None:
    with pytest.raises(HomeError, match="cannot become another"):
        renamed(hub, Elsewhere(parent=hub))


def test_a_home_is_listed_once_under_the_name_of_now(hub: FakeHub) -> None:
    homes = LocalHomespace(parent=hub)
    (homes.directory / "ada").mkdir(parents=True)
    (homes.directory / "bob").mkdir()
    with identities(None, "ada") as table:
        carry_out(renamed(hub, homes), hub.private, table)
    assert PlatformHomes.of_platform(homes).users(["countess", "bob"]) == ["bob", "countess"]
