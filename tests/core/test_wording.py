"""Words of messages."""

from __future__ import annotations

from greyhub.wording import did_you_mean, number_of, shortened, write_instead


def test_things_are_counted() -> None:
    assert number_of("core", 1) == "1 core"
    assert number_of("core", 2.5) == "2.5 cores"
    assert number_of("dataset", 0) == "0 datasets"
    assert number_of("dataset", 1_234_567) == "1234567 datasets"


def test_a_name_like_one_that_is_known_is_suggested() -> None:
    known = ["kubernetes", "local"]
    assert did_you_mean("kubernets", known) == "; did you mean 'kubernetes'?"
    assert did_you_mean("azure", known) == ""
    assert write_instead("locl", known) == "write 'local'"
    assert write_instead("azure", known) == "use one of: kubernetes, local"


def test_a_long_text_ends_with_a_mark() -> None:
    assert shortened("x" * 100) == "x" * 100
    assert shortened("abcdefghijklm", 10) == "abcdefghi…"
