"""``python -m greyhub.broker.keeping``: keep the broker, one that is killed is followed by another.

JupyterHub looks after its services every 30 s. What it starts is this small process, which waits
for the broker, and starts another where a signal has ended it. One that ends by itself is left to
JupyterHub, with its status.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

KEEPER: Final = "GREYHUB_BROKER_KEEPER"
"""The variable that holds this process's number, for the broker."""

LOOK: Final = 0.2
"""Seconds between two looks at whether the hub still runs."""

YOUNG: Final = 10.0
"""Seconds. A broker that does not live so long is followed after a pause, each twice the last."""

LONGEST: Final = 30.0


def keep(command: Sequence[str]) -> int:
    """Run a program until it ends by itself, or the hub ends it or is gone; its exit status."""
    hub, ended_by, pause = os.getppid(), 0, 0.0

    def note(number: int, _: Any = None) -> None:
        nonlocal ended_by
        ended_by = number

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, note)
    while True:
        began = time.monotonic()
        program = subprocess.Popen(command, env=os.environ | {KEEPER: str(os.getpid())})
        told = 0
        while program.poll() is None:
            if os.getppid() != hub:
                note(signal.SIGTERM)
            if ended_by != told:
                told = ended_by
                program.send_signal(told)
            time.sleep(LOOK)
        status = program.returncode
        if ended_by or status >= 0:
            return max(status, 0)
        print(f"greyhub: the broker was ended by signal {-status}: another follows", flush=True)
        pause = min(2 * pause or 1, LONGEST) if time.monotonic() - began < YOUNG else 0
        deadline = time.monotonic() + pause
        while time.monotonic() < deadline:
            if ended_by or os.getppid() != hub:
                return 0
            time.sleep(LOOK)


if __name__ == "__main__":
    sys.exit(keep([sys.executable, "-m", "greyhub.broker"]))
