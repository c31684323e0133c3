"""Credentials that the hub gives servers: to whom, for what, and what happens in an outage."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from jupyterhub.auth import DummyAuthenticator

from greyhub.auth.credentials import issuing
from greyhub.auth.credentials.audiences import read
from greyhub.conformance.testkit.provider import Person
from greyhub.credentials import Credential
from greyhub.errors import ConfigError
from tests.auth.credentials import Server, giving_hub, later, nothing_held, served
from tests.auth.oidc import User, World, world
from tests.auth.test_oidc_refresh import keep, refreshes
from tests.support.waiting import until

__all__ = ["nothing_held", "world"]

STORAGE = "https://storage.example.org/.default"
GIVEN: dict[str, Any] = {
    "storage": {"scope": STORAGE},
    "archive": {"resource": "https://archive.example.org"},
    "lab": {"audience": "lab", "groups": ["staff", "wheel"]},
    "exchanged": {"audience": "exchanged", "exchange": True},
    "own": {"source": "login"},
}


@pytest.fixture(autouse=True)
def audiences(world: World) -> None:
    world.provider.audiences = {STORAGE, "https://archive.example.org", "lab", "exchanged"}


def state(server: Server) -> dict[str, Any]:
    users = server.hub.app.users
    return dict(server.hub.run(lambda: users[server.user].get_auth_state()) or {})


def asked(world: World) -> dict[str, str]:
    """What was asked last at the token endpoint."""
    return world.provider.asked("token")[-1].form


def user_of(world: World, server: Server) -> User:
    return User(server.hub, world.provider.people[f"subject-of-{server.user}"])


def refresh(server: Server) -> None:
    """Let the hub ask the provider about the login, as soon as anything is asked."""
    users = server.hub.app.users
    server.hub.run(lambda: setattr(users[server.user], "_auth_refreshed", None))


@pytest.mark.parametrize(
    ("name", "parameter", "audience"),
    [
        ("storage", "scope", STORAGE),
        ("archive", "resource", "https://archive.example.org"),
        ("lab", "audience", "lab"),
    ],
)
def test_a_server_gets_a_token_for_an_audience(
    world: World, name: str, parameter: str, audience: str
) -> None:
    server = served(world, GIVEN, groups=("staff",))
    before = state(server)
    answer = server.ask(name)
    token = answer.json()["values"]["token"]
    assert world.provider.holder(token, audience) == Person("ada", groups=("staff",))
    assert 290 < answer.json()["expires_in"] <= 300
    assert 140 < answer.json()["renew_in"] <= 150
    assert answer.headers["Cache-Control"] == "no-store"
    assert asked(world)[parameter] == audience
    after = state(server)
    assert after["access_token"] == before["access_token"]  # the login's own
    assert after["refresh_token"] not in (before["refresh_token"], None)
    refresh(server)
    assert server.value("own") == before["access_token"]


def test_a_token_is_kept_until_half_of_its_time_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served(world, GIVEN)
    first = server.value("storage")
    later(monkeypatch, 140)
    assert server.value("storage") == first
    refresh(server)  # also where the login was confirmed meanwhile
    assert server.value("storage") == first
    assert len(refreshes(world)) == 1
    later(monkeypatch, 160)
    second = server.value("storage")
    assert second != first
    assert world.provider.holder(second, STORAGE)
    assert len(set(refreshes(world))) == 2


def test_tokens_by_exchange_use_no_refresh_token(world: World) -> None:
    server = served(world, GIVEN)
    token = server.value("exchanged")
    assert world.provider.holder(token, "exchanged")
    assert asked(world)["subject_token"] == state(server)["access_token"]
    assert refreshes(world) == []


def test_the_logins_own_token_is_refreshed_before_it_ends(world: World) -> None:
    server = served(world, GIVEN)
    first = server.value("own")
    assert first == state(server)["access_token"]
    keep(user_of(world, server), expires_at=state(server)["expires_at"] - 170, login_at=1)
    second = server.value("own")
    assert second == state(server)["access_token"] != first
    assert world.provider.is_good(second)


# to whom


def test_what_is_not_configured_is_refused(world: World) -> None:
    server = served(world, GIVEN)
    said = server.refused("unknown")
    assert "gives no credentials for 'unknown'" in said
    assert "fix: you can have some for archive, exchanged, own, storage; " in said


def test_groups_bound_who_gets_it_from_the_next_refresh_on(world: World) -> None:
    server = served(world, GIVEN, groups=("staff-2", "students"))
    assert "for members of some groups, and ada is in none" in server.refused("lab")
    world.provider.enrol(Person("ada", groups=("wheel",)))
    refresh(server)
    token = server.value("lab")
    assert world.provider.holder(token, "lab")
    world.provider.enrol(Person("ada"))
    refresh(server)
    server.refused("lab")
    server.value("storage")


def test_a_server_gets_its_own_users_alone(world: World) -> None:
    server = served(world, GIVEN)
    world.logged_in(server.hub, "bob")
    other = Server(server.hub, "bob")
    mine, theirs = server.value("storage"), other.value("storage")
    assert world.provider.holder(mine, STORAGE) == Person("ada")
    assert world.provider.holder(theirs, STORAGE) == Person("bob")
    assert "to users' servers alone" in server.refused("storage", token=server.hub.token)
    server.refused("storage", token="nonsense")


def test_a_token_without_the_scope_is_refused(world: World) -> None:
    """Such as the one by which another user's server knows who visits it."""
    server = served(world, GIVEN)
    user = server.hub.app.users["ada"]
    scopes = ["access:servers!server=ada/", "read:users!user=ada"]
    token = server.hub.run(lambda: user.new_api_token(note="Server at /user/ada/", scopes=scopes))
    assert server.hub.token_is_valid(token)
    assert "has no scope custom:greyhub:credentials" in server.refused("storage", token=token)


def test_a_browser_is_refused(world: World) -> None:
    """Pages of other users' servers may have the hub's origin, and the browser's cookies."""
    hub = giving_hub(world, GIVEN)
    user = world.logged_in(hub)
    own = {"X-XSRFToken": user.browser.cookies.get("_xsrf", "")}
    assert user.browser.get("/hub/api/user", headers=own).ok
    answer = user.browser.get("/hub/api/greyhub/credentials/storage", headers=own)
    assert answer.status_code == 403
    assert "values" not in answer.text


@pytest.mark.parametrize("end", ["revoke", "disable"])
def test_a_login_that_the_provider_has_ended_gets_nothing(world: World, end: str) -> None:
    server = served(world, GIVEN)
    server.value("storage")
    person = world.provider.people["subject-of-ada"]
    getattr(world.provider, end)(person)
    said = server.refused("archive")
    assert "the provider refuses a token for 'archive': invalid_grant" in said
    assert "fix: log out and in again" in said
    refresh(server)
    assert "your login has ended\n  fix: log in again" in server.refused("storage")
    if end == "revoke":
        user_of(world, server).login()
        assert world.provider.holder(server.value("storage"), STORAGE)


def test_who_may_not_stay_gets_nothing(world: World) -> None:
    server = served(world, GIVEN)
    server.value("storage")
    server.hub.run(lambda: server.hub.app.authenticator.blocked_users.add("ada"))
    refresh(server)
    assert "your login has ended" in server.refused("storage")
    assert not state(server)["refresh_token"]


def test_a_logout_with_the_tokens_ends_it_at_once(world: World) -> None:
    server = served(world, GIVEN)
    first = server.value("storage")
    user = user_of(world, server)
    keep(user, access_token=None, refresh_token=None, id_token=None)
    assert "your login has ended" in server.refused("storage")
    user.login()
    assert server.value("storage") != first  # the provider may have revoked it


def test_what_the_provider_does_not_know_is_said_to_both(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    server = served(world, GIVEN)
    world.provider.audiences.clear()
    for name in ("storage", "exchanged"):
        said = server.refused(name)
        assert f"gives this hub no token for {name!r}: invalid_target" in said
        assert f"no token for {name}: the token endpoint answers invalid_target" in caplog.text
    refresh(server)
    server.value("own")  # the login goes on


# outages


@pytest.mark.parametrize("kind", ["error", "unavailable", "nonsense", "reset"])
def test_an_outage_is_said_as_such(world: World, kind: str) -> None:
    server = served(world, GIVEN)
    with world.provider.fault("token", kind):
        answer = server.ask("storage")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "10"
        assert "the identity provider does not answer" in answer.json()["message"]
    server.value("storage")


def test_an_outage_that_lets_no_login_be_confirmed_is_said_as_such(world: World) -> None:
    server = served(world, GIVEN)
    server.value("storage")
    refresh(server)
    with world.provider.fault("any", "unavailable"):
        assert "cannot be confirmed" in server.refused("storage", 503)
    server.value("storage")


def test_in_an_outage_what_is_good_is_given_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served(world, GIVEN)
    first = server.value("storage")
    with world.provider.fault("token", "unavailable"):
        later(monkeypatch, 200)
        answer = server.ask("storage").json()
        assert answer["values"]["token"] == first
        assert answer["renew_in"] == 10
        later(monkeypatch, 301)
        server.refused("storage", 503)


def test_a_slow_provider_holds_up_no_hub_and_loses_no_token(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = served(world, GIVEN)
    monkeypatch.setattr(issuing, "LIMIT", 0.05)
    with world.provider.fault("token", "hold") as held:
        assert "does not come in time" in server.refused("storage", 503)
        assert held.hit.wait(10)
        assert server.hub.api("GET", "/user", token=server.token).ok
    until(lambda: server.ask("storage").ok)
    assert len(refreshes(world)) == 1
    assert state(server)["refresh_token"] != refreshes(world)[0]


# one rotation at a time


def at_once(world: World, *questions: Callable[[], Any]) -> list[Any]:
    """The answers to questions that all wait for the token endpoint together."""
    came: list[Any] = []
    with world.provider.fault("token", "hold") as held:
        threads = [
            threading.Thread(target=lambda each=each: came.append(each()), daemon=True)
            for each in questions
        ]
        for thread in threads:
            thread.start()
        assert held.hit.wait(10)
        until(lambda: len(world.provider.asked("token")) >= 2)
    for thread in threads:
        thread.join(30)
    return came


def test_two_at_once_make_one_rotation(world: World) -> None:
    server = served(world, GIVEN)
    came = at_once(world, *[lambda: server.value("storage")] * 4)
    assert len(came) == 4
    assert len(set(came)) == 1
    assert len(refreshes(world)) == 1


def test_two_audiences_and_the_login_itself_use_each_refresh_token_once(world: World) -> None:
    server = served(world, GIVEN)
    keep(user_of(world, server), expires_at=0)
    refresh(server)
    names = ["storage", "archive", "own", "exchanged"]
    came = at_once(world, *[lambda name=name: server.value(name) for name in names])
    assert len(set(came)) == len(names)
    assert len(refreshes(world)) == len(set(refreshes(world)))
    refresh(server)
    server.value("own")


def test_a_refresh_token_that_is_put_back_is_not_used_again(world: World) -> None:
    """As JupyterHub does, which stores what a refresh has given when it comes to it."""
    server = served(world, GIVEN)
    first = state(server)["refresh_token"]
    server.value("storage")
    server.value("archive")
    keep(user_of(world, server), refresh_token=first, expires_at=0)
    refresh(server)
    server.value("own")
    assert len(refreshes(world)) == len(set(refreshes(world))) == 3


def test_a_token_that_comes_after_the_logout_brings_no_login_back(world: World) -> None:
    server = served(world, GIVEN)
    came: list[Any] = []
    with world.provider.fault("token", "hold") as held:
        thread = threading.Thread(target=lambda: came.append(server.ask("storage")), daemon=True)
        thread.start()
        assert held.hit.wait(10)
        keep(user_of(world, server), access_token=None, refresh_token=None, id_token=None)
    thread.join(30)
    assert came[0].status_code == 403
    assert state(server)["refresh_token"] is None


@pytest.mark.parametrize("which", ["credential", "login"])
def test_a_login_that_begins_meanwhile_keeps_its_own_tokens(world: World, which: str) -> None:
    server = served(world, GIVEN)
    user = user_of(world, server)
    if which == "login":
        keep(user, expires_at=0)
        refresh(server)
    name = "storage" if which == "credential" else "own"
    with world.provider.fault("token", "hold", times=1) as held:
        thread = threading.Thread(target=lambda: server.ask(name), daemon=True)
        thread.start()
        assert held.hit.wait(10)
        assert user.login().is_redirect
        new = state(server)
    thread.join(30)
    assert state(server)["refresh_token"] == new["refresh_token"]
    assert state(server)["login_at"] == new["login_at"]


# secrets


def test_no_token_is_in_a_log_or_an_address_and_no_refresh_token_in_an_answer(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = served(world, GIVEN)
    said = [server.ask(name).text for name in (*GIVEN, "unknown")]
    world.provider.revoke(world.provider.people["subject-of-ada"])
    said.append(server.ask("lab").text)
    refresh(server)
    said.append(server.ask("storage").text)
    assert len(refreshes(world)) >= 3
    for grant in world.provider.grants:
        assert grant.refresh not in "".join(said)
        assert grant.refresh not in caplog.text
        assert grant.access not in caplog.text
    assert server.token not in caplog.text
    assert not [each for each in world.provider.seen if "token" in each.query]


# sources of one's own


class Certificates:
    """A source as an adapter's author writes it."""

    def __init__(self, authority: str) -> None:
        self.authority = authority

    async def issue(self, user: Any, auth_state: Any, audience: str) -> Credential:
        if audience == "broken":
            raise RuntimeError(f"the key of {self.authority}")
        return Credential.lasting({"certificate": f"{self.authority} knows {user.name}"}, 60)


def test_a_source_of_ones_own_plugs_in(world: World, caplog: pytest.LogCaptureFixture) -> None:
    own = {"source": Certificates, "authority": "the lab"}
    server = served(world, {"grid": own, "broken": own})
    assert server.ask("grid").json()["values"] == {"certificate": "the lab knows ada"}
    assert "cannot be made\n  fix: tell the hub's administrator" in server.refused("broken", 503)
    assert "fails with RuntimeError at" in caplog.text
    assert "the key of" not in caplog.text


WRONG = {
    "a name with a slash": ({"a/b": {"scope": "x"}}, "'a/b': an audience cannot be called so"),
    "no mapping": ({"a": "scope"}, "'a': this says nothing of a source"),
    "nothing to ask for": ({"a": {}}, "'a': neither scope, resource nor audience says"),
    "a scope that is no text": ({"a": {"scope": ["x"]}}, "scope is no text"),
    "an unknown option": ({"a": {"scop": "x"}}, "unexpected keyword argument 'scop'"),
    "an unknown source": ({"a": {"source": "s4"}}, "there is no source 's4'"),
    "a source that is not there": ({"a": {"source": "no.such"}}, "cannot be imported"),
    "groups that are no list": ({"a": {"scope": "x", "groups": "staff"}}, "is no list of names"),
    "keys without a role": ({"a": {"source": "s3"}}, "argument: 'role'"),
    "keys in clear text": (
        {"a": {"source": "s3", "role": "arn", "endpoint": "http://s3.example.org"}},
        "does not begin with https://",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_is_refused_before_the_hub_starts(world: World, wrong: str) -> None:
    given, words = WRONG[wrong]
    with pytest.raises(ConfigError) as error:
        giving_hub(world, given)
    assert words in str(error.value)
    assert str(error.value).startswith("c.OpenIDConnect.audiences: 'a")
    assert "\n  fix: " in str(error.value)


def test_an_audience_that_does_not_fit_the_logins() -> None:
    with pytest.raises(ConfigError) as error:
        read({"storage": {"scope": "x"}}, DummyAuthenticator, "c.AuthAdapter.audiences")
    assert "needs logins by OIDCAuthenticator, and these are by Dummy" in str(error.value)
    # Whoever shows where an error came from may make it again, as pickle does.
    for each in (error.value, error.value.__context__):
        assert str(copy.copy(each)) == str(each)


def test_roles_of_the_administrators_must_let_servers_ask(world: World) -> None:
    from traitlets.config import Config

    from greyhub.auth.credentials.roles import roles

    config = Config({"JupyterHub": {"load_roles": [{"name": "server", "scopes": ["self"]}]}})
    with pytest.raises(ConfigError, match="the role 'server' does not let servers ask"):
        roles(config, "custom:x")
    config.JupyterHub.load_roles[0]["scopes"].append("custom:x")
    assert [role["name"] for role in roles(config, "custom:x")] == ["user"]
