"""Clusters of processes: all of a part ends, also what it starts as it is about to end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("dask_gateway_server")

from greyhub.broker.processes import ProcessBackend
from greyhub.spawners import process
from tests.support.waiting import until

STARTS_ANOTHER = """\
import os, signal, subprocess, sys, time
def another(*_):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    os._exit(0)
signal.signal(signal.SIGTERM, another)
open(sys.argv[1], "w").close()
time.sleep(600)
"""

pytestmark = pytest.mark.processes


async def test_what_a_part_starts_as_it_ends_is_ended_too(directory: Path) -> None:
    ready, marks = directory / "ready", {"GREYHUB_TESTS_MARK": str(directory)}
    first = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", STARTS_ANOTHER, str(ready)], env={**os.environ, **marks}
    )
    await asyncio.to_thread(until, ready.exists, 30, "the process")
    backend = ProcessBackend(grace=5)
    backend._children = {first.pid: first}
    await backend._end_marked(marks)
    assert process.marked(marks) == []


def test_a_process_that_has_ended_is_no_longer_alive() -> None:
    backend = ProcessBackend()
    child = subprocess.Popen([sys.executable, "-c", ""])
    backend._children = {child.pid: child}
    state = {"pid": child.pid, "created": process.created(child.pid)}
    until(lambda: not backend._alive(state), 30, "its end")
    assert backend._children == {}
    assert backend._alive(None)
    assert backend._alive({"pid": os.getpid(), "created": process.created(os.getpid())})
    assert not backend._alive({"pid": os.getpid(), "created": 1.0})
