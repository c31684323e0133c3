"""``make test-newest`` compares with what the lock file names for this Python."""

from __future__ import annotations

import platform

import pytest

from tests.newest import ROOT, differences, pins

LOCK = """\
appnope==1.0.0 ; sys_platform == 'no-such-platform' \\
    --hash=sha256:00
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:11
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:22
zarr==3.1.0
    # via greyhub
"""


@pytest.mark.parametrize(("python", "numpy"), [("3.11.2", "2.4.6"), ("3.13.0", "2.5.5")])
def test_of_two_pins_the_one_for_this_python_counts(python: str, numpy: str) -> None:
    told = {"python_full_version": python}
    assert pins(LOCK, told) == {"numpy": numpy, "zarr": "3.1.0"}
    assert pins(LOCK) == pins(LOCK, {"python_full_version": platform.python_version()})


def test_only_what_is_installed_in_another_version_is_said() -> None:
    locked = pins(LOCK)["numpy"]
    assert differences(LOCK, {"numpy": locked, "other": "1"}) == []
    assert differences(LOCK, {"numpy": "9", "zarr": "3.1.0"}) == [f"numpy 9 (locked: {locked})"]


def test_the_lock_file_itself_can_be_read() -> None:
    found = pins((ROOT / "requirements/test.txt").read_text())
    assert len(found) > 100
    assert "pytest" in found
