"""Tokens for storage out of a login at Entra: of one resource each, never the refresh token."""

from __future__ import annotations

from typing import Any

import pytest

from greyhub.errors import ConfigError, ConfigErrors
from tests.auth.credentials import Server, giving_hub, later, nothing_held, served
from tests.auth.entra import EntraWorld, world
from tests.auth.oidc import User, query_of
from tests.auth.test_oidc_refresh import refreshes

__all__ = ["nothing_held", "world"]

STORAGE = "https://storage.azure.com"
GIVEN: dict[str, Any] = {
    "storage": {"scope": f"{STORAGE}/user_impersonation"},
    "default": {"scope": f"{STORAGE}/.default"},
    "vault": {"scope": "https://vault.azure.net/.default"},
    "own": {"source": "login"},
}


@pytest.fixture(autouse=True)
def resources(world: EntraWorld) -> None:
    world.provider.audiences = {STORAGE}


def user_of(world: EntraWorld, server: Server) -> User:
    return User(server.hub, world.provider.people["subject-of-ada"])


def test_a_server_gets_a_token_of_one_resource(
    world: EntraWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served(world, GIVEN)
    before = user_of(world, server).state()
    answer = server.ask("storage")
    token = answer.json()["values"]["token"]
    person = world.provider.people["subject-of-ada"]
    assert world.provider.holder(token, STORAGE) == person
    assert not world.provider.is_good(token)  # for Graph
    assert world.provider.holder(server.value("default"), STORAGE) == person
    after = user_of(world, server).state()
    assert after["access_token"] == before["access_token"]
    assert before["refresh_token"] not in answer.text
    assert after["refresh_token"] not in answer.text
    used = refreshes(world)
    assert len(set(used)) == len(used) == 2  # each of them once: the next comes with the token
    later(monkeypatch, 160)
    assert server.value("storage") != token
    assert world.provider.is_good(server.value("own"))


def test_a_resource_that_the_directory_does_not_know_is_refused_in_words(
    world: EntraWorld, caplog: pytest.LogCaptureFixture
) -> None:
    server = served(world, GIVEN)
    said = server.refused("vault")
    assert "AADSTS500011" in said
    assert "fix:" in said
    assert "compares the scope" in caplog.text
    assert "Secret Laboratory" not in said + caplog.text
    server.value("storage")  # the login goes on


def test_more_that_is_asked_for_a_resource_is_asked_for_by_the_next_login(
    world: EntraWorld,
) -> None:
    world.provider.audiences = {STORAGE}
    hub = giving_hub(world, GIVEN)
    user = world.logged_in(hub)
    server = Server(hub, "ada")
    world.entra.demand(user.person, 50076, STORAGE)
    said = server.refused("storage")
    assert "a second factor is asked of you" in said
    assert f"fix: open {hub.url}/hub/oauth_login to log in again" in said
    assert user.name == "ada"  # the login itself goes on
    begun = user.begin()
    assert "capolids" in query_of(begun)["claims"]
    assert "claims" not in query_of(world.user(hub, "bob").begin())
    world.entra.demand(user.person, 0, STORAGE)
    user.browser.get(user.consent(begun))
    server.value("storage")
    assert "claims" not in query_of(user.begin())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scope": f"{STORAGE}/.default https://vault.azure.net/.default"}, "of 2 resources"),
        ({"scope": f"{STORAGE}/.default {STORAGE}/user_impersonation"}, "goes with no other"),
        ({"resource": STORAGE}, "takes a scope"),
        ({"audience": STORAGE, "exchange": True}, "takes a scope"),
        ({"scope": "http://storage.azure.com/.default"}, "begins with http://"),
    ],
)
def test_what_entra_gives_no_token_for_is_refused_before_a_hub_starts(
    world: EntraWorld, given: dict[str, Any], said: str
) -> None:
    with pytest.raises((ConfigError, ConfigErrors), match=said) as refused:
        giving_hub(world, {"storage": given})
    assert "fix:" in str(refused.value)
