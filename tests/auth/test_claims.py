"""Names and groups as providers send them, in every shape."""

from __future__ import annotations

from typing import Any

import pytest

from greyhub.auth.openid import claims as reading
from greyhub.auth.openid.errors import Refused

MAIL = {"email": "ada@example.org", "email_verified": True}


@pytest.mark.parametrize(
    ("said", "path", "name"),
    [
        ({"preferred_username": "ada"}, "preferred_username", "ada"),
        (
            {"preferred_username": "ada.l-1@example.org"},
            "preferred_username",
            "ada.l-1@example.org",
        ),
        ({"preferred_username": "zoë"}, "preferred_username", "zoë"),
        ({"profile": {"login": "ada"}}, "profile.login", "ada"),
        ({"https://example.org/login": "ada"}, "https://example.org/login", "ada"),
        (MAIL, "email", "ada@example.org"),
        ({**MAIL, "email_verified": "true"}, "email", "ada@example.org"),
    ],
)
def test_a_claim_becomes_a_name(said: dict[str, Any], path: str, name: str) -> None:
    assert reading.username(said, path) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "a/b", "..", ".a", "%2e%2e", " root", "root ", "root\n", "ro\u200bot", "a b"),
        *("Ada Lovelace", "a" * 256, "\uff41da", "a\u0000", "<b>", "a,b", "a;b", "-rf"),
        *(17, True, None, ["ada"], {"name": "ada"}),
    ],
    ids=repr,
)
def test_what_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(Refused):
        reading.username({"preferred_username": name}, "preferred_username")


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1, "1", "", "True "])
def test_a_mail_address_that_nobody_has_verified_is_no_name(verified: Any) -> None:
    with pytest.raises(Refused, match="not verified"):
        reading.username({**MAIL, "email_verified": verified}, "email")


def test_no_other_claim_takes_the_place_of_one_that_is_missing() -> None:
    with pytest.raises(Refused, match="preferred_username"):
        reading.username({**MAIL, "sub": "ada", "name": "ada"}, "preferred_username")


def read(value: Any, separator: str = "") -> tuple[list[str], list[str]]:
    told: list[str] = []
    return reading.groups(value, separator, told.append), told


@pytest.mark.parametrize(
    ("value", "separator", "groups"),
    [
        (["wheel", "staff", "staff"], "", ["staff", "wheel"]),
        ([], "", []),
        (None, "", []),
        (reading.ABSENT, "", []),
        ("staff", ",", ["staff"]),
        ("staff, wheel,", ",", ["staff", "wheel"]),
        ("staff wheel", " ", ["staff", "wheel"]),
        ([f"group-{number}" for number in range(999)], "", None),
    ],
)
def test_groups_are_a_list_or_a_text_with_a_separator(
    value: Any, separator: str, groups: list[str] | None
) -> None:
    found, told = read(value, separator)
    assert found == (sorted(value) if groups is None else groups)
    assert told == []


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("staff", []),
        ("s", []),
        ({"staff": True}, []),
        (17, []),
        (True, []),
        (["staff", 17, None, ["wheel"], {"name": "wheel"}], ["staff"]),
    ],
    ids=repr,
)
def test_what_is_no_list_of_names_counts_for_nothing_and_is_told(
    value: Any, left: list[str]
) -> None:
    found, [told] = read(value)
    assert found == left
    assert "fix:" in told


def test_a_path_leads_into_claims() -> None:
    said = {"realm_access": {"roles": ["staff"]}, "a.b": "whole", "a": {"b": "part"}}
    assert reading.claim(said, "realm_access.roles") == ["staff"]
    assert reading.claim(said, "a.b") == "whole"
    for path in ("realm_access.groups", "realm_access.roles.0", "nothing", ""):
        assert reading.claim(said, path) is reading.ABSENT


def test_groups_that_are_told_elsewhere_are_not_none() -> None:
    elsewhere = {"_claim_names": {"groups": "src1"}}
    assert reading.overage(elsewhere, "groups")
    assert reading.overage({"hasgroups": "true"}, "groups")
    assert not reading.overage({**elsewhere, "groups": ["staff"]}, "groups")
    assert not reading.overage({}, "groups")
    assert not reading.overage({"_claim_names": {"address": "src1"}}, "groups")


@pytest.mark.parametrize(
    ("said", "admitted"),
    [
        ({"hd": "example.org"}, True),
        ({"hd": "example.com"}, True),
        ({"hd": "example.org.evil"}, False),
        ({"hd": ["example.org"]}, False),
        ({"hd": None}, False),
        ({}, False),
    ],
)
def test_a_required_claim_has_one_of_its_values(said: dict[str, Any], admitted: bool) -> None:
    required = {"hd": ["example.org", "example.com"]}
    assert (reading.missing_requirement(said, required) is None) == admitted


def test_true_is_not_one() -> None:
    assert reading.missing_requirement({"member": 1}, {"member": True}) == "member"
