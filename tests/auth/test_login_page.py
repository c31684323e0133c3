"""The login page says why a login has ended, to the browser that had it and to no other."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from greyhub.conformance.testkit.hub import Hub
from greyhub.conformance.testkit.provider import Person
from tests.auth.oidc import TEMPLATES, User, World, world

__all__ = ["world"]

SERVICE = "Ocean & <b>Ice</b>"


def a_hub(world: World, **options: Any) -> Hub:
    hub = world.hub(login_service=SERVICE, **options)
    hub.stop()
    hub.config["JupyterHub"]["template_paths"] = [str(TEMPLATES)]
    return hub.start()


def told(user: User) -> str | None:
    """What the login page tells a user's browser; None if it tells nothing."""
    answer = user.browser.get("/hub/login")
    assert answer.status_code == 200
    assert "oauth_login" in answer.text
    found = re.search('id="login-ended">(.*?)</p>', answer.text, re.DOTALL)
    return html.unescape(found[1]) if found else None


def disable(world: World) -> None:
    world.provider.disable(world.provider.people["subject-of-ada"])


def enrol(**facts: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.provider.enrol(Person(**{"name": "ada", "subject": "subject-of-ada", **facts}))

    return change


ENDS: dict[str, tuple[Callable[[World], None], str]] = {
    "the account is disabled": (disable, f"Your login by {SERVICE} has ended. Log in again."),
    "a group is lost": (enrol(), "The rules of this hub do not admit you any more."),
    "a claim is lost": (
        enrol(claims={"hd": "elsewhere"}, groups=("staff",)),
        "You may not log in here: your hd is not among those admitted.",
    ),
    "another name": (
        enrol(name="eve", claims={"hd": "here"}, groups=("staff",)),
        f"{SERVICE} tells of you otherwise than at your login. Log in again.",
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_login_that_a_refresh_ends_is_told_of_once_and_to_nobody_else(
    world: World, end: str
) -> None:
    change, words = ENDS[end]
    rules = {"allow_all": False, "allowed_groups": {"staff"}, "required_claims": {"hd": ["here"]}}
    if end == "a group is lost":
        del rules["required_claims"]
    hub = a_hub(world, **rules)
    good = {"claims": {"hd": "here"}, "groups": ("staff",)}
    user = world.logged_in(hub, **good)
    before = user.person
    change(world)
    assert user.refresh() is None
    assert [told(user), told(user)] == [words, words]
    assert "<b>" not in user.browser.get("/hub/login").text
    assert told(world.user(hub, "bob")) is None
    world.provider.disabled.clear()
    world.provider.enrol(before)
    user.login()
    assert user.name == "ada"
    user.browser.get("/hub/logout")
    assert told(user) is None


def test_a_login_that_goes_on_is_told_nothing(world: World) -> None:
    user = world.logged_in(a_hub(world))
    assert user.browser.get("/hub/login").is_redirect
    user.browser.get("/hub/logout")
    assert told(user) is None
