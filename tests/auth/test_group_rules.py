"""Rules for groups, with an Authenticator class that knows none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.auth import DummyAuthenticator, PAMAuthenticator

from greyhub.auth.group_rules import with_group_rules
from greyhub.auth.openid.authenticator import OIDCAuthenticator
from greyhub.auth.password import LocalPassword
from greyhub.conformance.auth.noop_spawner import NoopSpawner
from greyhub.conformance.testkit.browser import Browser
from greyhub.conformance.testkit.hub import Hub

GROUPS = {"staff": {"users": ["ada", "grace"]}, "wheel": {"users": ["grace"]}}


class Platform:
    """A hub with groups, and browsers."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hubs: list[Hub] = []

    def start(self, cls: Any = DummyAuthenticator, groups: Any = GROUPS, **rules: Any) -> Hub:
        """A hub whose logins go by these rules."""
        config = {
            "JupyterHub": {
                "authenticator_class": with_group_rules(cls),
                "spawner_class": NoopSpawner,
                "load_groups": groups,
            },
            "Authenticator": {"auth_refresh_age": 1000, **rules},
        }
        self.hubs.append(Hub(self.directory / f"hub-{len(self.hubs)}", config))
        return self.hubs[-1].start()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """Hubs that end with the test."""
    made = Platform(tmp_path)
    yield made
    for hub in made.hubs:
        hub.__exit__()


def login(hub: Hub, name: str) -> Browser:
    """A browser that has filled in the form."""
    browser = Browser(hub.url)
    browser.get("/hub/login")
    browser.post("/hub/login", {"username": name, "password": "a password"})
    return browser


def leave(hub: Hub, name: str, group: str) -> None:
    """An admin takes somebody out of a group, and time passes."""
    answer = hub.api("DELETE", f"/groups/{group}/users", {"users": [name]})
    assert answer.ok, answer.text
    hub.run(lambda: setattr(hub.app.users[name], "_auth_refreshed", None))


def test_members_of_a_group_may_come_in_and_nobody_else(platform: Platform) -> None:
    hub = platform.start(allowed_groups={"staff"})
    assert (login(hub, "ada").who() or {})["name"] == "ada"
    assert login(hub, "eve").who() is None


def test_members_of_a_group_are_admins_as_long_as_they_are_in_it(platform: Platform) -> None:
    hub = platform.start(allowed_groups={"staff"}, admin_groups={"wheel"})
    browser = login(hub, "grace")
    assert (browser.who() or {})["admin"]
    assert not (login(hub, "ada").who() or {})["admin"]
    leave(hub, "grace", "wheel")
    assert not (browser.who() or {"admin": "they are out"})["admin"]


def test_an_admin_must_be_allowed_in(platform: Platform) -> None:
    hub = platform.start(allowed_groups={"ocean"}, admin_groups={"wheel"})
    assert login(hub, "grace").who() is None


def test_an_admin_by_name_is_one_without_a_group(platform: Platform) -> None:
    hub = platform.start(allowed_users={"ada"}, admin_users={"ada"}, admin_groups={"wheel"})
    assert (login(hub, "ada").who() or {})["admin"]


def test_who_loses_the_group_is_out_with_all_rights(platform: Platform) -> None:
    hub = platform.start(allowed_groups={"wheel"}, admin_groups={"wheel"})
    browser = login(hub, "grace")
    token = hub.run(lambda: hub.app.users["grace"].new_api_token())
    assert hub.api("GET", "/users", token=token).ok
    leave(hub, "grace", "wheel")
    assert browser.who() is None
    assert hub.api("GET", "/users", token=token).status_code == 403
    assert hub.run(lambda: hub.app.authenticator.login_refused(hub.app.users["grace"]))
    assert login(hub, "grace").who() is None


def test_who_was_in_a_group_is_not_let_in_for_having_been_here(platform: Platform) -> None:
    """JupyterHub lets in whom it knows, as soon as allowed_users names anybody."""
    hub = platform.start(allowed_users={"eve"}, allowed_groups={"staff"})
    browser = login(hub, "ada")
    leave(hub, "ada", "staff")
    assert browser.who() is None
    assert login(hub, "ada").who() is None
    assert login(hub, "eve").who() is not None


def test_a_group_restricts_nobody_whom_a_name_admits(platform: Platform) -> None:
    hub = platform.start(allowed_users={"ada"}, allowed_groups={"staff"})
    browser = login(hub, "ada")
    leave(hub, "ada", "staff")
    assert browser.who() is not None


def test_who_is_blocked_meanwhile_may_not_stay(platform: Platform) -> None:
    hub = platform.start(allowed_groups={"staff"})
    browser = login(hub, "ada")
    hub.run(lambda: hub.app.authenticator.blocked_users.add("ada"))
    hub.run(lambda: setattr(hub.app.users["ada"], "_auth_refreshed", None))
    assert browser.who() is None


class Failing(DummyAuthenticator):
    """Cannot tell who is allowed, once it has been told to fail."""

    fails = False

    def check_allowed(self, username: str, authentication: Any = None) -> bool:
        if type(self).fails:
            raise OSError("the directory does not answer")
        return False


def test_rules_that_cannot_be_asked_end_no_login(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = platform.start(Failing, allowed_groups={"staff"})
    browser = login(hub, "ada")
    monkeypatch.setattr(Failing, "fails", True)
    leave(hub, "ada", "staff")
    assert browser.who() is not None


class Telling(DummyAuthenticator):
    """Tells groups by itself."""

    async def authenticate(self, handler: Any, data: Any) -> Any:
        return {"name": data["username"], "groups": ["divers"]}


def test_groups_that_an_authenticator_tells_are_the_ones_that_count(platform: Platform) -> None:
    hub = platform.start(Telling, {}, allowed_groups={"divers"}, manage_groups=True)
    assert login(hub, "eve").who() is not None


def test_one_password_for_all_is_for_the_group_alone(platform: Platform) -> None:
    hub = platform.start(
        LocalPassword, allowed_groups={"staff"}, user_password="a password", everyone=True
    )
    assert login(hub, "ada").who() is not None
    assert login(hub, "eve").who() is None


def test_classes_with_groups_of_their_own_keep_their_meaning() -> None:
    assert with_group_rules(OIDCAuthenticator) is OIDCAuthenticator
    made = with_group_rules(PAMAuthenticator)
    assert made.allowed_groups is PAMAuthenticator.allowed_groups
    assert (made.__name__, made.__module__) == ("PAMAuthenticator", "jupyterhub.auth")
