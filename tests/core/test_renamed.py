"""Former names work in this version still, and say what the new ones are."""

from __future__ import annotations

import pytest

from greyhub.adapter import Finding
from greyhub.errors import ConfigError


def test_a_finding_and_an_error_take_mend_for_fix() -> None:
    with pytest.warns(DeprecationWarning, match="is called fix now"):
        assert str(Finding("error", "wrong", mend="right")) == "wrong\n  fix: right"
    with pytest.warns(DeprecationWarning, match="is called fix now"):
        assert ConfigError("wrong", mend="right").fix == "right"
