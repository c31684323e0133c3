"""``c.GreyHub.homespace = "azureml"``: names, tickets, refusals, and what the hub makes itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError
from traitlets.config import Config

from greyhub.azureml.storage import CONTAINER
from greyhub.errors import ConfigError, HomeError
from greyhub.homespace.azure_access_lists import access_list, passable
from greyhub.homespace.azure_directories import make_home
from greyhub.homespace.azureml import READABLE, AzureMLHomespace, container_part, directory
from greyhub.homespace.filesystem import Home
from greyhub.homespace.migrate.users import PlatformHomes
from greyhub.homespace.secret_references import Secrets
from tests.homespace.azureml.account import SCOPE, Account, TokenHub, account, hub
from tests.homespace.azureml.lake import Lake, lake
from tests.support.adapters import FakeHub, ticket

__all__ = ["account", "hub", "lake"]

URL = "https://science.blob.core.windows.net"
OID = "11059fcc-5514-4800-b5f8-49808b9cfab6"
NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@pytest.fixture
def platform(tmp_path: Path) -> FakeHub:
    found = FakeHub.at(tmp_path)
    found.make_state()
    return found


def adapter(platform: FakeHub, audiences: Any = None, **options: Any) -> AzureMLHomespace:
    given = {"storage": {"scope": SCOPE}} if audiences is None else audiences
    config = Config({"AuthAdapter": {"audiences": given}})
    platform.config = config
    return AzureMLHomespace(parent=platform, **{"account_url": URL, **options})


def user(**state: Any) -> SimpleNamespace:
    async def get_auth_state() -> Any:
        return state

    return SimpleNamespace(name="ada", get_auth_state=get_auth_state)


def ticket_of(made: AzureMLHomespace, who: SimpleNamespace) -> dict[str, Any]:
    return dict(asyncio.run(made.ticket(SimpleNamespace(user=who))))


def test_a_ticket_holds_the_account_and_no_secret(platform: FakeHub) -> None:
    made = adapter(platform, hub_options={"account_key": {"env": "KEY"}}, ca_bundle="/etc/ca.pem")
    found = json.loads(json.dumps(ticket(made, "ada")))
    assert found["url"] == "abfs://homes/ada"
    assert found["mode"] == "sync"
    assert found["storage_options"] == {
        "account_url": URL,
        "ca_bundle": "/etc/ca.pem",
        "credential": {"hub": "storage", "user": "ada"},
    }


@given(one=NAMES, two=NAMES)
def test_no_two_users_share_a_container_or_a_directory(one: str, two: str) -> None:
    for name in (container_part, directory):
        assert (name(one) == name(two)) == (one == two)
    for each in (one, two):
        longest = "home-{username}".replace("{username}", container_part(each))
        assert CONTAINER.fullmatch(longest)
        assert CONTAINER.fullmatch(container_part(each))
        assert len(container_part(each)) <= READABLE + 17
        name = directory(each)
        assert "/" not in name
        assert not name.endswith(".")


@pytest.mark.parametrize(("one", "two"), [("ada", "ada."), ("Ada", "ada"), ("a-b", "a_b")])
def test_names_that_azure_takes_for_one_are_two(one: str, two: str) -> None:
    assert directory(one).rstrip(".").lower() != directory(two).rstrip(".").lower()
    assert container_part(one) != container_part(two)


def test_each_user_can_have_a_container(platform: FakeHub) -> None:
    made = adapter(platform, container="home-{username}")
    url = ticket(made, "Ada Lovelace")["url"]
    assert url == f"abfs://home-{container_part('Ada Lovelace')}/{directory('Ada Lovelace')}"
    assert container_part("Ada Lovelace").startswith("ada-lovelace-")


def test_a_home_stays_where_it_was_decided(platform: FakeHub) -> None:
    before = ticket(adapter(platform), "ada")["url"]
    made = adapter(platform, container="elsewhere")
    assert ticket(made, "ada")["url"] == before
    assert ticket(made, "bob")["url"] == "abfs://elsewhere/bob"


def test_a_home_that_is_on_another_store_is_not_looked_for_here(platform: FakeHub) -> None:
    made = adapter(platform)
    made.registry.remember("ada", "s3://homes/ada")
    with pytest.raises(HomeError, match="home copy"):
        ticket(made, "ada")


@pytest.mark.parametrize(
    "options",
    [
        {"account_url": "http://science.blob.core.windows.net"},
        {"account_url": "https://science.dfs.core.windows.net"},
        {"account_url": "https://science.blob.core.windows.net/?sv=1&sig=S3CR3T"},
        {"account_url": "https://ada:S3CR3T@science.blob.core.windows.net"},
        {"account_url": "science"},
        {"container": "Homes"},
        {"container": "a--b"},
        {"container": "h"},
        {"container": "homes_{username}"},
        {"container": "a-very-long-beginning-of-it-{username}"},
        {"container": "{username}-{username}"},
        {"hub_options": {"client_secret": "S3CR3T"}},
    ],
)
def test_what_azure_would_not_take_is_refused(platform: FakeHub, options: Any) -> None:
    with pytest.raises(TraitError):
        adapter(platform, **options)


@pytest.mark.parametrize(
    "url",
    [
        "https://science.blob.core.chinacloudapi.cn",
        "https://science.blob.core.usgovcloudapi.net/",
        "https://science.z7.blob.storage.azure.net",
    ],
)
def test_any_cloud_s_address_will_do(platform: FakeHub, url: str) -> None:
    made = adapter(platform, account_url=url)
    assert made.options_of("ada")["account_url"] == url.rstrip("/")


def test_an_audience_that_nobody_gives_tokens_for_is_refused(platform: FakeHub) -> None:
    adapter(platform).contribute()
    for audiences in ({}, {"store": {"scope": SCOPE}}):
        with pytest.raises(ConfigError, match="no audience is called 'storage'") as told:
            adapter(platform, audiences).contribute()
        assert "fix" in str(told.value)


def test_a_login_that_has_ended_starts_no_server(platform: FakeHub) -> None:
    with pytest.raises(HomeError, match="log in again"):
        ticket_of(adapter(platform), user(access_token=None))
    assert ticket_of(adapter(platform), user(access_token="good"))["url"] == "abfs://homes/ada"


async def test_the_account_is_asked_whether_it_is_there(
    platform: FakeHub, account: Account
) -> None:
    made = adapter(platform, account_url=account.url, ca_bundle=str(account.authority.ca))
    found = {each.level: each for each in await made.check()}
    assert "answers" in found["ok"].message
    assert "one container" in found["warning"].message
    assert "error" not in found
    found = {each.level: each for each in await adapter(platform, account_url=account.url).check()}
    assert "certificate is not trusted" in found["error"].message
    assert "ca_bundle" in found["error"].fix


@pytest.mark.parametrize(
    ("options", "warned"),
    [({}, True), ({"hierarchical": True}, False), ({"container": "h-{username}"}, False)],
)
def test_homes_that_a_role_opens_together_are_warned_of(
    platform: FakeHub, options: Any, warned: bool
) -> None:
    found = [each.level for each in adapter(platform, **options)._shared()]
    assert found == ["warning"] * warned


def of_account(platform: FakeHub, account: Account, **options: Any) -> AzureMLHomespace:
    bundle = str(account.authority.ca)
    return adapter(platform, account_url=account.url, ca_bundle=bundle, **options)


def test_the_hub_makes_a_container_and_takes_a_home_away(
    platform: FakeHub, account: Account, hub: TokenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", account.key["account_key"])
    options = {"container": "made-{username}", "make": True, "deletion": "trash"}
    made = of_account(platform, account, hub_options={"account_key": {"env": "KEY"}}, **options)
    for _ in range(2):
        found = ticket_of(made, user())
    home = Home(found["url"], found["storage_options"])
    home.pipe("a", b"1")
    container = account.client.get_container_client(made.container_of("ada"))
    assert [each.name for each in container.list_blobs()] == ["ada/a"]
    asyncio.run(made.delete_user("ada"))
    names = [each.name for each in container.list_blobs()]
    assert [name for name in names if name.endswith("/ada/a")]
    assert not [name for name in names if name.startswith("ada/")]
    assert len(hub.given) == 1


def test_administrators_reach_homes_by_the_hub_s_own_login(
    platform: FakeHub, account: Account, hub: TokenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", account.key["account_key"])
    own = {"account_key": {"env": "KEY"}}
    made = of_account(platform, account, hub_options=own, container="own-{username}")
    account.client.create_container(made.container_of("ada"))
    ticket(made, "ada")
    homes = PlatformHomes.of_platform(made)
    assert homes.users(["ada"]) == ["ada"]
    there = homes.of("ada", remembered=True)
    Home(there.url, there.options).pipe("a", b"1")
    container = account.client.get_container_client(made.container_of("ada"))
    assert [each.name for each in container.list_blobs()] == ["ada/a"]
    assert hub.given == []
    assert account.key["account_key"] not in str(there)


def test_a_hub_that_may_not_says_so(
    platform: FakeHub, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "bm9ib2R5")
    made = of_account(platform, account, hub_options={"account_key": {"env": "KEY"}}, make=True)
    with pytest.raises(HomeError, match="the hub could not make") as told:
        ticket_of(made, user())
    assert "fix: give the hub's own login the role" in str(told.value)
    assert "bm9ib2R5" not in str(told.value)


def given_to(lake: Lake, owner: str = OID) -> None:
    asyncio.run(make_home(Secrets(lake.options).read(), "homes", "ada%2E", owner))


def test_a_directory_is_its_owner_s_alone(lake: Lake, hub: TokenHub) -> None:
    given_to(lake)
    assert lake.lists == {
        "homes/": "user::rwx,group::r-x,other::--x",
        "homes/ada%2E": f"user::rwx,user:{OID}:rwx,group::---,mask::rwx,other::---,"
        f"default:user::rwx,default:user:{OID}:rwx,default:group::---,default:mask::rwx,"
        "default:other::---",
    }
    assert lake.tokens == set(hub.given)


def test_what_is_shared_by_its_owner_stays_shared(lake: Lake, hub: TokenHub) -> None:
    given_to(lake)
    lake.lists["homes/ada%2E"] += ",user:somebody:r-x"
    before = dict(lake.lists)
    lake.asked.clear()
    given_to(lake)
    assert lake.lists == before
    assert "PATCH" not in [method for method, _ in lake.asked]


def test_a_directory_without_its_list_gets_it_the_next_time(lake: Lake, hub: TokenHub) -> None:
    lake.refusing, lake.refused = (403, "AuthorizationPermissionMismatch"), "setAccessControl"
    with pytest.raises(HomeError, match="Storage Blob Data Owner"):
        given_to(lake)
    lake.refusing = None
    given_to(lake)
    assert lake.lists["homes/ada%2E"] == access_list(OID)


def test_another_user_s_directory_is_never_given_away(lake: Lake, hub: TokenHub) -> None:
    given_to(lake)
    before = dict(lake.lists)
    with pytest.raises(HomeError, match="is another user's") as told:
        given_to(lake, OID.replace("1", "2"))
    assert OID in str(told.value)
    assert lake.lists == before


def test_a_container_of_others_is_used(lake: Lake, hub: TokenHub) -> None:
    lake.lists["homes/"] = "user::rwx,group::---,other::--x"
    lake.refusing, lake.refused = (403, "AuthorizationPermissionMismatch"), "restype=container"
    with pytest.raises(HomeError):
        given_to(lake)
    lake.refusing = None
    given_to(lake)
    assert lake.lists["homes/"] == "user::rwx,group::---,other::--x"


def test_whose_object_id_is_not_known_gets_no_directory(platform: FakeHub, lake: Lake) -> None:
    made = adapter(platform, account_url=lake.url, hierarchical=True, make=True)
    for claims in ({}, {"oid": "ada"}, {"oid": f"{OID}:rwx,other::rwx"}):
        with pytest.raises(HomeError, match="no object id"):
            ticket_of(made, user(id_token_claims=claims))
    assert lake.asked == []


def test_passing_through_is_all_that_is_added() -> None:
    assert passable("user::rwx,other::r--") == "user::rwx,other::r-x"
    assert passable("user::rwx,other::--x,default:other::---") == ""
