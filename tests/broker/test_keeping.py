"""What keeps the broker: which ends are followed by another start, and which are handed on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from greyhub.broker.keeping import KEEPER
from tests.support.processes import ended
from tests.support.waiting import until

pytestmark = pytest.mark.processes

KEEP = """
import sys
from greyhub.broker.keeping import keep
sys.exit(keep([sys.executable, "-c", sys.argv[1]]))
"""

STARTS = f"""
import sys
starts = open({{path!r}}, "a")
def note(event, about):
    if event == "subprocess.Popen":
        print("start", file=starts, flush=True)
sys.addaudithook(note)
{KEEP}
"""
"""It notes each start, also of a program that ends before it has noted anything."""

PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", *sys.argv[1:]]).wait()
"""
"""A hub, as far as what it starts can tell."""

NOTES = f"""
import os, signal, sys, time
def end(number, frame):
    print("ended by", number, file=notes, flush=True)
    sys.exit(0)
notes = open({{path!r}}, "a")
signal.signal(signal.SIGTERM, end)
print("began", os.getpid(), os.environ[{KEEPER!r}] == str(os.getppid()), file=notes, flush=True)
"""
"""A broker that notes its starts and its end."""

WAITING = "time.sleep(600)"
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def notes(directory: Path) -> Path:
    return directory / "notes"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program by its text; all of them, and what they have started, end afterwards."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*texts: str, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", *texts], **options))
        return started[-1]

    yield run
    for each in started:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(each.pid).children(recursive=True):
                child.kill()
        each.kill()
        each.wait()


def pids(notes: Path) -> list[int]:
    """The brokers that began."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    assert not [line for line in lines if line.endswith("False")]
    return [int(line.split()[1]) for line in lines if line.startswith("began")]


def test_one_that_is_killed_is_followed_by_another(start: Start, notes: Path) -> None:
    keeper = start(KEEP, NOTES.format(path=str(notes)) + WAITING)
    for number in (1, 2, 3):
        until(lambda number=number: len(pids(notes)) == number, what="the broker")  # type: ignore[misc]
        if number < 3:
            os.kill(pids(notes)[-1], signal.SIGKILL)
    keeper.terminate()
    assert keeper.wait(60) == 0
    assert notes.read_text().splitlines()[-1] == f"ended by {signal.SIGTERM.value}"
    assert len(pids(notes)) == 3


def test_one_that_ends_by_itself_hands_its_status_on(start: Start) -> None:
    assert start(KEEP, "raise SystemExit(3)").wait(60) == 3


def test_it_ends_with_a_hub_that_is_killed(start: Start, notes: Path) -> None:
    hub = start(PARENT, KEEP, NOTES.format(path=str(notes)) + WAITING)
    until(lambda: pids(notes), what="the broker")
    [keeper] = psutil.Process(hub.pid).children()
    hub.kill()
    until(lambda: ended(pids(notes)[0]) and ended(keeper.pid), what="their end")
    assert f"ended by {signal.SIGTERM.value}" in notes.read_text()


def test_one_that_waits_to_start_another_starts_none_when_it_is_told_to_end(
    start: Start, notes: Path
) -> None:
    """Each pause is longer than the last: a broker that is killed as it starts is no loop."""
    text = STARTS.format(path=str(notes))
    keeper = start(text, f"import os, signal\n{KILLED}", stdout=subprocess.PIPE)
    assert keeper.stdout
    for _ in range(3):
        assert b"another follows" in keeper.stdout.readline()
    keeper.terminate()
    assert keeper.wait(60) == 0
    assert notes.read_text().split() == ["start"] * 3
