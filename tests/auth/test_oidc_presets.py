"""What is particular to well-known providers."""

from __future__ import annotations

from typing import Any

import pytest

from greyhub.auth.openid.authenticator import OIDCAuthenticator
from greyhub.auth.openid.presets import PRESETS
from greyhub.conformance.testkit.provider import Person
from tests.auth.oidc import User, World, refused, world

__all__ = ["world"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_made_of_defaults(name: str) -> None:
    made = OIDCAuthenticator(preset=name)
    assert made.scope == list(PRESETS[name].scope)
    assert made.username_claim == PRESETS[name].username_claim
    own = OIDCAuthenticator(preset=name, scope=["openid"], username_claim="upn", groups_url="")
    assert (own.scope, own.username_claim, own.groups_url) == (["openid"], "upn", "")


def test_names_at_google_are_verified_mail(world: World) -> None:
    hub = world.hub(preset="google", required_claims={"hd": ["example.org"]})
    said = {"claims": {"hd": "example.org"}, "without": ("preferred_username",)}
    user = world.user(hub, "ada", email="ada@example.org", **said)
    user.login()
    assert user.name == "ada@example.org"
    eve = world.user(hub, "eve", email="ada@example.org", email_verified=False, **said)
    assert refused(eve.login())
    assert eve.name is None


def test_entra_asks_graph_for_groups_that_a_token_does_not_hold(world: World) -> None:
    world.provider.overage = True
    many = tuple(f"group-{number}" for number in range(250))
    graph = PRESETS["entra"].groups_url.replace("https://graph.microsoft.com", world.provider.url)
    hub = world.hub(preset="entra", allow_all=False, allowed_groups={"group-249"}, groups_url=graph)
    assert set((world.logged_in(hub, groups=many).who or {})["groups"]) == set(many)
    assert world.provider.asked("/v1.0/me/transitiveMemberOf")


def test_of_what_graph_tells_groups_alone_are_groups() -> None:
    name = PRESETS["entra"].group_name
    assert name({"@odata.type": "#microsoft.graph.group", "id": "a"}) == "a"
    assert name({"@odata.type": "#microsoft.graph.directoryRole", "id": "a"}) is None


def github(world: World, **options: Any) -> User:
    """GitHub's API, of which the provider's own userinfo is no part."""

    def api(path: str, person: Person) -> Any:
        number = int(person.claims["number"])
        if path == "/api/v3/user":
            return {"id": number, "login": person.name, "email": None}
        teams = [{"organization": {"login": "lab"}, "slug": each} for each in person.groups]
        return teams if path == "/api/v3/user/teams" else None

    world.provider.api = api
    hub = world.hub(preset="github", issuer=world.provider.url, allow_all=False, **options)
    return world.user(hub, "ada", groups=("staff",), claims={"number": 17})


def test_github_is_oauth_alone_and_who_it_is_is_a_number(world: World) -> None:
    user = github(world, allowed_groups={"lab:staff"})
    assert user.login().is_redirect
    assert (user.who or {})["groups"] == ["lab:staff"]
    assert user.state()["subject"] == "17"
    assert not world.provider.asked("discovery")
    assert not world.provider.asked("userinfo")


def test_a_login_at_github_that_another_has_taken_over_is_another_person(world: World) -> None:
    user = github(world, allowed_users={"ada"})
    user.login()
    assert user.name == "ada"
    thief = world.user(user.hub, "ada", subject="thief", claims={"number": 18})
    assert refused(thief.login())
    assert thief.name is None


def test_without_an_address_the_preset_is_github_itself() -> None:
    provider = OIDCAuthenticator(preset="github", client_id="x").provider
    assert provider.issuer == "github"
    assert provider.endpoints["token_endpoint"].startswith("https://github.com/")
