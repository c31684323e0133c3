"""Fixtures that more than one room uses.

directory
    A fresh directory that every account of the machine can pass through.
hub
    One running hub with local adapters, shared by tests that only add users.
ordinary
    A uid without rights, to run a hub as an ordinary user.
browser
    Headless Chromium; tests that need it skip, with a line, where there is none.
page
    A window of it, without cookies.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from greyhub.conformance.limits import VARIABLE
from tests.support.browser import MINUTE, OPTIONS, find
from tests.support.hubs import Hub, running
from tests.support.waiting import PATIENCE

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores it, and so would every server that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Other work on the machine is no fault of what is tested.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

os.environ.setdefault(VARIABLE, str(PATIENCE))  # for the suites that tests start

NOBODY = 65534

START_PROCESSES = {"browser", "directory", "hub", "stores"}
"""Fixtures whose tests start servers, hubs or a browser."""

TIMEOUT = 300
"""Seconds after which a test is ended, times the patience, if its marker says nothing else."""


def make_directory() -> Path:
    """A fresh directory under the system's own, which all accounts can enter."""
    path = Path(tempfile.mkdtemp(prefix="greyhub-test-"))
    path.chmod(0o755)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run here, and say so; give a second chance to what starts processes."""
    missing = None
    if os.geteuid() != 0:
        missing = "needs root"
    elif not readable_by_others():
        missing = f"needs an interpreter that others can read: not {sys.executable}"
    for item in items:
        if missing and item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason=missing))
        if START_PROCESSES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.processes)
        if item.get_closest_marker("processes"):
            item.add_marker(pytest.mark.flaky(reruns=1))
        limit = item.get_closest_marker("timeout")
        seconds = limit.args[0] if limit else TIMEOUT
        item.add_marker(pytest.mark.timeout(seconds * PATIENCE), append=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every test that was run again, where all see it."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_line(f"RERUN {report.nodeid}")


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
            args=OPTIONS,
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.set_default_timeout(MINUTE)
    yield page
    context.close()
