"""What Entra refuses, in words for whoever can do something about it."""

from __future__ import annotations

import re

import pytest

from greyhub.auth.openid.entra.codes import CODES, code_of, words
from tests.auth.entra import EntraWorld, world
from tests.auth.oidc import changed

__all__ = ["world"]

PRIVATE = ("Secret Laboratory", "Trace ID", "people.example in the directory")
"""What Entra's descriptions hold of people and of the directory."""


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_is_wrong_and_what_to_do(code: int) -> None:
    what, _, fix = words(code).partition("\n  fix: ")
    assert f"AADSTS{code}" in what
    assert len(fix) > 8
    assert not what.endswith(".")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"error_codes": [50076, 1]}, 50076),
        ({"error_codes": [], "error_description": "AADSTS53003: Access"}, 53003),
        ({"error_codes": ["50076"]}, 0),
        ({"error_codes": [True]}, 0),
        ({"error_codes": 50076}, 0),
        ("AADSTS65004: User declined", 65004),
        ("see AADSTS65004", 0),
        ("AADSTS" + "9" * 40, 0),
        (None, 0),
        ([], 0),
    ],
)
def test_a_code_is_read_from_where_it_stands(said: object, code: int) -> None:
    assert code_of(said) == code


ENDS = (50057, 50076, 50079, 50105, 50158, 53003, 65001, 70043, 700082, 50034, 123456)


@pytest.mark.parametrize("code", ENDS)
def test_what_ends_a_login_is_logged_by_its_code_alone(
    world: EntraWorld, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    user = world.logged_in(world.hub(outage_grace=3600))
    world.entra.demand(user.person, code)
    assert user.refresh() is None
    assert user.state()["refresh_token"] is None
    assert re.search(rf"login of ada has ended: \w+ \(AADSTS{code}\)", caplog.text)
    assert not any(each in caplog.text for each in PRIVATE)
    page = user.login().text
    assert f"AADSTS{code}" in page
    assert bool(re.search(rf"AADSTS{code}\)\s+fix: ", page)) == (code in CODES)
    assert not any(each in page for each in PRIVATE)
    world.entra.demand(user.person, 0)
    user.login()
    assert user.name == "ada"


@pytest.mark.parametrize("code", [50196, 90033, 7000215, 7000222, 700016, 90002])
def test_what_is_the_hubs_matter_or_passes_ends_no_login(
    world: EntraWorld, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    user = world.logged_in(world.hub(outage_grace=3600))
    world.entra.demand(user.person, code)
    assert (user.refresh() or {}).get("name") == "ada"
    assert f"AADSTS{code}" in caplog.text
    assert ("fix:" in caplog.text) == (code in CODES)
    assert not any(each in caplog.text for each in PRIVATE)


def test_who_does_not_agree_is_told_so(world: EntraWorld, caplog: pytest.LogCaptureFixture) -> None:
    user = world.user(world.hub())
    said = "AADSTS65004: ada@people.example in the directory 'Secret Laboratory' declined"
    back = changed(
        user.consent(user.begin()), code=None, error="access_denied", error_description=said
    )
    page = user.browser.get(back)
    assert page.status_code == 403
    assert "have not agreed" in page.text
    assert not any(each in page.text + caplog.text for each in PRIVATE)


def test_other_words_of_a_provider_are_not_shown(world: EntraWorld) -> None:
    user = world.user(world.hub())
    script = "<script>"
    back = changed(user.consent(user.begin()), code=None, error=script, error_description=script)
    page = user.browser.get(back)
    assert "ended the login: an error" in page.text
    assert script not in page.text.partition("ended the login")[2][:40]
