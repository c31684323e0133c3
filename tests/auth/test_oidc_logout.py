"""Logout: of all sessions, and by option at the provider."""

from __future__ import annotations

from typing import Any

import pytest

from tests.auth.oidc import World, query_of, world

__all__ = ["world"]


def test_a_logout_ends_the_sessions_of_all_browsers(world: World) -> None:
    user = world.logged_in(world.hub())
    other = world.logged_in(user.hub)
    copied = user.browser.cookies
    user.browser.get("/hub/logout")
    thief = world.user(user.hub)
    thief.browser.take(copied)
    assert (user.name, other.name, thief.name) == (None, None, None)
    assert user.state()["refresh_token"]  # servers may still need it
    assert not world.provider.asked("revoke")


def test_a_logout_at_the_provider_revokes_the_tokens_and_goes_there(world: World) -> None:
    hub = world.hub(logout_at_provider=True, logout_redirect_url="https://hub.example/bye")
    user = world.logged_in(hub)
    tokens = user.state()
    answer = user.browser.get("/hub/logout", params={"post_logout_redirect_uri": "https://evil"})
    there = answer.headers["Location"]
    assert there.startswith(f"{world.provider.url}/logout?")
    assert query_of(there) == {
        "client_id": "conformance",
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": "https://hub.example/bye",
    }
    assert not world.provider.is_good(tokens["access_token"])
    kept = user.state()
    assert (kept["access_token"], kept["refresh_token"], kept["id_token"]) == (None, None, None)
    assert user.name is None


@pytest.mark.parametrize("kind", ["error", "reset", "nonsense"])
def test_a_logout_works_here_though_the_provider_is_away(world: World, kind: str) -> None:
    user = world.logged_in(world.hub(logout_at_provider=True))
    with world.provider.fault("revoke", kind):
        answer = user.browser.get("/hub/logout")
    assert answer.status_code < 400
    assert user.name is None
    assert user.state()["refresh_token"] is None


def test_without_the_option_a_logout_leads_where_it_is_configured_to(world: World) -> None:
    user = world.logged_in(world.hub(logout_redirect_url="https://hub.example/bye"))
    said: dict[str, Any] = {"next": "https://evil.example"}
    answer = user.browser.get("/hub/logout", params=said)
    assert answer.headers["Location"] == "https://hub.example/bye"


def test_whoever_has_not_logged_in_can_log_out(world: World) -> None:
    user = world.user(world.hub(logout_at_provider=True))
    assert user.browser.get("/hub/logout").status_code < 400
