"""A test that failed while the machine stood still says nothing: it is run again.

A virtual machine may be stopped for minutes, or get no turn. When it goes on, all
deadlines of all processes have passed at once, whatever is tested. Nothing else
is ever run again: a test that fails while the machine runs has failed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from _pytest.runner import runtestprotocol

LONGEST = 3.0
"""Seconds that a thread which only sleeps may oversleep on a machine that runs."""

TRIES = 3


class Watch(threading.Thread):
    """Notes when the machine stood still, and for how many seconds."""

    def __init__(self) -> None:
        super().__init__(name="stalls", daemon=True)
        self.stalls: list[tuple[float, float]] = []
        self.ended = threading.Event()

    def run(self) -> None:
        before = time.monotonic()
        while not self.ended.wait(0.5):
            now = time.monotonic()
            if now - before > LONGEST:
                self.stalls.append((now, now - before))
            before = now

    def since(self, began: float) -> float:
        """The seconds that the machine stood still in all since a time."""
        self.ended.wait(0.6)  # it may have been in the last moment
        return sum(seconds for when, seconds in self.stalls if when > began)


WATCH = pytest.StashKey[Watch]()
AGAIN = pytest.StashKey[dict[str, list[float]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[AGAIN] = {}
    watch = config.stash[WATCH] = Watch()
    watch.start()
    config.add_cleanup(watch.ended.set)


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test, and once more if the machine, not the test, may have failed."""
    config, began = item.config, time.monotonic()
    again = config.stash[AGAIN].setdefault(item.nodeid, [])
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    failed = any(report.failed for report in reports)
    if failed and len(again) < TRIES - 1 and (stood := config.stash[WATCH].since(began)):
        again.append(stood)
        item._initrequest()  # type: ignore[attr-defined]
        # By the hook, so that the time it may take counts from now.
        item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        return True
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was run again, and why."""
    for line in _told(terminalreporter.config.stash[AGAIN]):
        terminalreporter.write_line(line)


def _told(again: dict[str, list[float]]) -> Iterator[str]:
    for name, stood in again.items():
        for seconds in stood:
            yield f"AGAIN {name} - the machine stood still for {seconds:.0f} s"
