"""Names and tags of what is made: valid, the same every time, and never the same for two."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greyhub.azureml.names import check_prefix, hub_id, instance_name, is_of, is_of_hub, tags

SPECIFIED = r"^[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9\-]{2,23}$"
"""A compute's name in the specification of the REST API, 2025-12-01."""

PREFIXES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,6}", fullmatch=True)


@given(PREFIXES, st.text(), st.text(), st.text())
def test_a_name_is_valid_and_always_the_same(prefix, hub, user, server):
    """Whatever users and servers are called."""
    name = instance_name(prefix, hub, user, server)
    assert re.match(SPECIFIED, name)
    assert name == instance_name(prefix, hub, user, server)


def test_a_digest_of_digits_alone_is_never_the_end_of_a_name():
    """A hyphen and digits at the end are what Azure ML does not take: one name in 2000."""
    names = (instance_name("jupyter", "hub", f"user{number}") for number in range(20_000))
    assert all(re.match(SPECIFIED, name) for name in names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("hub", "a", "b-c"), ("hub", "a-b", "c")),
        (("hub", "test1", "1"), ("hub", "test11", "")),
        (("hub", "a@x", ""), ("hub", "a-x", "")),
        (("hub", "é", ""), ("hub", "è", "")),
        (("hub", "ada", ""), ("other", "ada", "")),
        (("hub", "Ada", ""), ("hub", "ada", "")),
    ],
)
def test_no_two_servers_share_a_name(one, other):
    """Of one hub or of two, also where names differ by a hyphen alone."""
    assert instance_name("j", *one) != instance_name("j", *other)


@pytest.mark.parametrize("prefix", ["", "1a", "-a", "a-b", "abcdefgh", "é"])
def test_a_prefix_that_makes_no_name_is_refused(prefix):
    """Before anything is made by it."""
    with pytest.raises(ValueError, match="cannot begin a name"):
        check_prefix(prefix)


@given(st.text(max_size=600), st.text(max_size=600))
def test_tags_are_short_enough(user, server):
    """A tag's value has at most 256 letters, and is another for each name."""
    made = tags("hub", user, server)
    assert max(map(len, made.values())) <= 256
    assert made != tags("hub", user + "x", server)
    assert made != tags("hub", user, server + "x")


def test_tags_tell_whose_an_instance_is():
    """Of this hub, this user and this server; other tags do not matter."""
    found = {"tags": {**tags("hub", "ada"), "cost-centre": "1234"}}
    assert is_of(found, tags("hub", "ada"))
    assert not is_of(found, tags("hub", "ada", "gpu"))
    assert not is_of(found, tags("other", "ada"))
    assert is_of_hub(found, "hub")
    assert not is_of_hub(found, "other")
    assert not is_of_hub({"tags": None}, "hub")


def test_a_hub_keeps_its_id(tmp_path):
    """And two hubs have two."""
    assert hub_id(tmp_path / "one") == hub_id(tmp_path / "one")
    assert hub_id(tmp_path / "one") != hub_id(tmp_path / "two")
