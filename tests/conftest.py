"""Fixtures that more than one room uses.

directory
    A fresh directory that every account of the machine can pass through.
hub
    One running hub with local adapters, shared by tests that only add users.
ordinary
    A uid without rights, to run a hub as an ordinary user.
browser
    Headless Chromium; tests that need it skip, with a line, where there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import find
from tests.hubs import Hub, running

pytest_plugins = ["tests.stalls"]

NOBODY = 65534


def make_directory() -> Path:
    """A fresh directory under the system's own, which all accounts can enter."""
    path = Path(tempfile.mkdtemp(prefix="greyhub-test-"))
    path.chmod(0o755)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this account or interpreter cannot run, and say so."""
    missing = None
    if os.geteuid() != 0:
        missing = "needs root"
    elif not readable_by_others():
        missing = f"needs an interpreter that others can read: not {sys.executable}"
    for item in items:
        if missing and item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason=missing))


def readable_by_others() -> bool:
    """Whether another account could run this interpreter and these packages."""
    try:
        subprocess.run(
            [sys.executable, "-c", "import greyhub.singleuser"],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


@pytest.fixture
def directory() -> Iterator[Path]:
    path = make_directory()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    path = make_directory()
    with running(path) as started:
        yield started
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def ordinary() -> int:
    """A uid without rights."""
    return NOBODY if os.geteuid() == 0 else os.geteuid()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # Not for the session: while playwright runs, no coroutine of a test can.
    executable = find()
    if executable is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield chromium
        chromium.close()
