"""Names of objects: valid, and never the same for two."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from greyhub.kubernetes.names import object_name

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
