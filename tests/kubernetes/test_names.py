"""Names of objects: valid, and never the same for two."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubespawner import KubeSpawner

from greyhub.kubernetes.names import filled_in, object_name

LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
names = st.text(min_size=1, max_size=300)


@given(names, st.text(max_size=80))
def test_any_user_has_a_valid_name(user: str, server: str) -> None:
    assert LABEL.fullmatch(object_name("jupyter", "hub", user, server))


def test_it_can_be_read() -> None:
    assert object_name("jupyter", "hub", "Ada.Lovelace@example.org").startswith(
        "jupyter-ada-lovelace-example-org-"
    )


def test_no_two_share_one() -> None:
    pairs = [
        ("a", "b-c"), ("a-b", "c"), ("a", ""), ("A", ""), ("a@x", ""), ("a_x", ""), ("a-x", ""),
        ("é", ""), ("è", ""), ("a" * 60, ""), ("a" * 61, ""),
    ]  # fmt: skip
    made = {object_name("jupyter", hub, *pair) for pair in pairs for hub in ("one", "two")}
    assert len(made) == 2 * len(pairs)


ODD = ("ada", "Ada@x", "a" * 47, "a--b", "grace-", "é")
TEMPLATES = (
    "claim-{username}",
    "claim-{username}{servername}",
    "claim-{username}--{servername}",
    "claim-{user_server}",
    "{escaped_user_server}-",
    "claim-{escaped_username}",
    "{safe_user_server}-{safe_username}-{safe_servername}",
)


@pytest.mark.parametrize("scheme", ["safe", "escape"])
@given(st.one_of(names.filter(lambda name: "\0" not in name), st.sampled_from(ODD)))
def test_templates_are_filled_in_as_kubespawner_does(scheme: str, user: str) -> None:
    spawner = SimpleNamespace(
        slug_scheme=scheme,
        name="",
        user=SimpleNamespace(id=1, name=user),
        _namespace_default=lambda: "hub",
    )
    for template in TEMPLATES:
        theirs = KubeSpawner._expand_user_properties(spawner, template)
        assert filled_in(template, user, scheme)[0] == theirs
