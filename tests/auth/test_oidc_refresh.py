"""What happens to a login when the provider is asked again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from greyhub.auth.openid.errors import ProviderUnavailable
from greyhub.conformance.testkit.provider import Person, endpoints
from tests.auth.oidc import User, World, world
from tests.support.waiting import until

__all__ = ["world"]


def refreshes(world: World) -> list[str]:
    """The refresh tokens that were used, in order."""
    return [
        each.form["refresh_token"]
        for each in world.provider.asked("token")
        if "refresh_token" in each.form
    ]


def keep(user: User, **changes: Any) -> None:
    """Change what the hub keeps of a login."""
    kept = {**user.state(), **changes}
    name = user.person.name
    user.hub.run(lambda: user.hub.app.users[name].save_auth_state(kept))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Changes what the token endpoint answers: keys that are None are left out."""
    true = endpoints.grant

    def change(**changes: Any) -> None:
        def grant(*args: Any, **kwargs: Any) -> dict[str, Any]:
            said = {**true(*args, **kwargs), **changes}
            return {name: value for name, value in said.items() if value is not None}

        monkeypatch.setattr(endpoints, "grant", grant)

    return change


def test_tokens_are_refreshed_before_they_end_and_rotated(world: World) -> None:
    user = world.logged_in(world.hub())
    first = user.state()
    assert user.refresh() is not None
    assert refreshes(world) == []  # there is time
    keep(user, expires_at=first["expires_at"] - 200)
    assert user.refresh() is not None
    second = user.state()
    assert refreshes(world) == [first["refresh_token"]]
    assert second["refresh_token"] != first["refresh_token"]
    assert world.provider.is_good(second["access_token"])
    assert second["expires_at"] > first["expires_at"] - 200
    keep(user, expires_at=0)
    assert user.refresh() is not None
    assert refreshes(world) == [first["refresh_token"], second["refresh_token"]]


def test_a_refresh_token_that_is_not_rotated_is_kept(
    world: World, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = world.logged_in(world.hub())
    token = user.state()["refresh_token"]
    answers(refresh_token=None)
    world.provider.expire(user.person)
    assert user.refresh() is not None
    assert user.state()["refresh_token"] == token


def together(world: World, user: User, other: User) -> list[str | None]:
    """Whom the hub takes two browsers of one user for that ask at one time."""
    user.hub.run(lambda: setattr(user.hub.app.users["ada"], "_auth_refreshed", None))
    came: list[Any] = []
    with world.provider.fault("token", "hold") as held:
        tabs = [
            threading.Thread(target=lambda each=each: came.append(each.name), daemon=True)
            for each in (user, other)
        ]
        for tab in tabs:
            tab.start()
        assert held.hit.wait(10)
        locks = user.hub.app.authenticator.locks
        until(lambda: locks["ada"]._waiters)
    for tab in tabs:
        tab.join(10)
    return came


def test_two_requests_at_once_use_a_refresh_token_once(world: World) -> None:
    user = world.logged_in(world.hub())
    other = world.user(user.hub)
    other.browser.take(user.browser.cookies)
    world.provider.expire(user.person)
    assert together(world, user, other) == ["ada", "ada"]
    assert len(refreshes(world)) == 1


def test_new_tokens_are_kept_though_userinfo_then_fails(world: World) -> None:
    user = world.logged_in(world.hub())
    old = user.state()["refresh_token"]
    keep(user, expires_at=0)
    with world.provider.fault("userinfo", "error"):
        assert user.refresh() is None
    assert user.state()["refresh_token"] != old
    assert user.name == "ada"


def test_a_lost_answer_ends_the_login_no_sooner_than_its_access_token(world: World) -> None:
    user = world.logged_in(world.hub())
    keep(user, expires_at=0)
    with world.provider.fault("token", "lost"):
        assert user.refresh() is None
    assert user.state()["unanswered"]
    for grant in world.provider.grants:  # a provider whose access tokens live on
        grant.access_ended = False
    assert user.refresh() is not None
    assert user.state()["refresh_token"] is None
    world.provider.expire(user.person)
    assert user.refresh() is None
    user.login()
    assert user.name == "ada"


@pytest.mark.parametrize("end", ["revoke", "disable"])
def test_a_login_that_the_provider_refuses_has_ended(world: World, end: str) -> None:
    user = world.logged_in(world.hub(outage_grace=3600))
    getattr(world.provider, end)(user.person)
    assert user.refresh() is None
    kept = user.state()
    assert (kept["access_token"], kept["refresh_token"], kept["id_token"]) == (None, None, None)
    asked = len(world.provider.seen)
    assert user.refresh() is None
    assert len(world.provider.seen) == asked  # it is not asked about again and again
    assert user.login().is_redirect == (end == "revoke")


@pytest.mark.parametrize("kind", ["error", "unavailable", "nonsense", "empty", "reset"])
@pytest.mark.parametrize("endpoint", ["token", "userinfo", "any"])
def test_an_outage_ends_no_login(world: World, endpoint: str, kind: str) -> None:
    hub = world.hub(outage_grace=3600)
    user = world.logged_in(hub, groups=("staff",))
    keep(user, expires_at=0)
    with world.provider.fault(endpoint, kind):
        said = user.refresh()
        assert said is not None
        assert said["groups"] == ["staff"]
    assert user.refresh() is not None


def test_an_outage_has_its_bound(world: World) -> None:
    user = world.logged_in(world.hub(outage_grace=600))
    with world.provider.fault("any", "unavailable"):
        keep(user, confirmed_at=user.state()["confirmed_at"] - 500)
        assert user.refresh() is not None
        keep(user, confirmed_at=user.state()["confirmed_at"] - 200)
        assert user.refresh() is None
        keep(user, confirmed_at=user.state()["confirmed_at"] + 10_000)  # a clock that was set back
        assert user.refresh() is None
    assert user.name == "ada"


async def test_without_grace_an_outage_is_never_good(world: World) -> None:
    user = world.logged_in(world.hub())
    hub = user.hub
    with world.provider.fault("any", "unavailable"), pytest.raises(ProviderUnavailable):
        hub.run(lambda: hub.app.authenticator.refresh_user(hub.app.users["ada"]))


def test_a_client_that_is_refused_is_the_hubs_matter_and_ends_no_login(world: World) -> None:
    user = world.logged_in(world.hub(outage_grace=3600))
    keep(user, expires_at=0)
    right, world.provider.client_secret = world.provider.client_secret, "changed"
    assert user.refresh() is not None
    world.provider.client_secret = right
    assert user.refresh() is not None
    assert user.state()["refresh_token"]


OTHERS = {
    "another person": Person("eve"),
    "another subject": Person("ada", subject="somebody-else"),
    "another name": Person("eve", subject="subject-of-ada"),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("expired", [False, True])
def test_a_refresh_that_tells_of_another_ends_the_login(
    world: World, other: str, expired: bool
) -> None:
    user = world.logged_in(world.hub(outage_grace=3600))
    if expired:
        keep(user, expires_at=0)
    world.provider.people["subject-of-ada"] = OTHERS[other]
    assert user.refresh() is None
    assert user.state()["access_token"] is None  # it would be another's


@pytest.mark.parametrize("lie", ["aud", "iss", "exp", "none", "HS256", "foreign"])
def test_a_false_id_token_at_a_refresh_ends_the_login(world: World, lie: str) -> None:
    user = world.logged_in(world.hub(outage_grace=3600))
    keep(user, expires_at=0)
    with world.provider.lying(lie):
        assert user.refresh() is None
    assert user.name is None


def test_groups_and_rights_follow_at_a_refresh(world: World) -> None:
    hub = world.hub(allow_all=False, allowed_groups={"staff"}, admin_groups={"wheel"})
    user = world.logged_in(hub, groups=("staff", "wheel"))
    assert (user.who or {})["admin"]
    user.person = world.provider.enrol(Person("ada", groups=("staff",)))
    said = user.refresh()
    assert said is not None
    assert (said["admin"], said["groups"]) == (False, ["staff"])
    user.person = world.provider.enrol(Person("ada", groups=("staff", "ocean")))
    assert set((user.refresh() or {})["groups"]) == {"staff", "ocean"}
    user.person = world.provider.enrol(Person("ada", groups=("guests",)))
    assert user.refresh() is None


@pytest.mark.parametrize("left", [{"groups": None}, {"without": ("groups",)}, {"groups": "staff"}])
def test_groups_that_are_told_no_more_are_gone(world: World, left: dict[str, Any]) -> None:
    user = world.logged_in(world.hub(), groups=("staff",))
    user.person = world.provider.enrol(Person("ada", **left))
    assert (user.refresh() or {})["groups"] == []


def test_a_request_that_waits_does_not_let_stay_who_may_not(world: World) -> None:
    user = world.logged_in(world.hub(allow_all=False, allowed_groups={"s"}), groups=("s",))
    other = world.user(user.hub, groups=())
    other.browser.take(user.browser.cookies)
    world.provider.expire(user.person)
    assert together(world, user, other) == [None, None]


def test_a_provider_that_cannot_be_asked_confirms_nobody(
    world: World, answers: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    true = endpoints.discovery

    def discovery(provider: Any, seen: Any) -> Any:
        said = json.loads(true(provider, seen).body)
        del said["userinfo_endpoint"]
        return endpoints.give(said)

    monkeypatch.setattr(endpoints, "discovery", discovery)
    user = world.logged_in(world.hub(), "bob")
    assert user.refresh() is not None  # by its refresh token
    assert len(refreshes(world)) == 1
    answers(refresh_token=None)
    user = world.logged_in(user.hub, "ada")
    assert user.refresh() is None


def test_an_answer_without_an_id_token_is_one(world: World, answers: Callable[..., None]) -> None:
    user = world.logged_in(world.hub(), groups=("staff",))
    answers(id_token=None)
    keep(user, expires_at=0)
    assert (user.refresh() or {})["groups"] == ["staff"]
    assert user.state()["id_token"]


def test_a_required_claim_that_is_lost_ends_the_login(world: World) -> None:
    user = world.logged_in(world.hub(required_claims={"hd": "in"}), claims={"hd": "in"})
    user.person = world.provider.enrol(Person("ada", claims={"hd": "out"}))
    assert user.refresh() is None


def test_a_user_who_is_blocked_may_not_stay(world: World) -> None:
    user = world.logged_in(world.hub())
    user.hub.run(lambda: user.hub.app.authenticator.blocked_users.add("ada"))
    assert user.refresh() is None


def test_groups_that_only_an_id_token_tells_are_asked_for_by_a_refresh_token(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Entra's are: its userinfo knows of no groups."""
    true = endpoints.userinfo
    monkeypatch.setattr(endpoints, "userinfo", _without_groups(true))
    user = world.logged_in(world.hub(), groups=("staff",))
    assert (user.who or {})["groups"] == ["staff"]
    user.person = world.provider.enrol(Person("ada", groups=("ocean",)))
    assert (user.refresh() or {})["groups"] == ["ocean"]
    assert len(refreshes(world)) == 1


def _without_groups(true: Any) -> Any:
    def userinfo(provider: Any, seen: Any) -> Any:
        reply = true(provider, seen)
        said = json.loads(reply.body)
        said.pop("groups", None)
        return endpoints.give(said, reply.status)

    return userinfo


def test_a_provider_without_refresh_tokens_is_asked_by_the_access_token(
    world: World, answers: Callable[..., None]
) -> None:
    answers(refresh_token=None, expires_in=None)
    user = world.logged_in(world.hub(), groups=("staff",))
    assert user.state()["refresh_token"] is None
    user.person = world.provider.enrol(Person("ada", groups=("ocean",)))
    assert (user.refresh() or {})["groups"] == ["ocean"]
    world.provider.expire(user.person)
    assert user.refresh() is None


def test_a_login_outlasts_the_hubs_restart(world: World) -> None:
    user = world.logged_in(world.hub())
    user.hub.restart()
    again = world.user(user.hub)  # the browser's connection was the old hub's
    again.browser.take(user.browser.cookies)
    world.provider.expire(user.person)
    assert again.refresh() is not None
    assert len(refreshes(world)) == 1
