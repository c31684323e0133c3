"""An agent that is killed, once: `python crashing.py -m greyhub.agent DIRECTORY`.

The variable CRASH_AT counts what it writes down, what it sends and what is answered.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from greyhub.agent import server
from greyhub.agent.__main__ import main
from greyhub.agent.hub import Hub
from greyhub.agent.state import State

crashed = Path(os.environ["MACHINE"], "../crashed")
left = int(Path(os.environ["MACHINE"], "../crash-at").read_text())


def step(what: str) -> None:
    global left
    left -= 1
    if left == 0 and not crashed.exists():
        crashed.write_text(what)
        os.kill(os.getpid(), signal.SIGKILL)


def around(cls: Any, name: str) -> None:
    original = getattr(cls, name)

    def stepping(*args: Any, **kwargs: Any) -> Any:
        step(f"before {name}")
        done = original(*args, **kwargs)
        step(f"after {name}")
        return done

    setattr(cls, name, staticmethod(stepping) if name == "_write" else stepping)


around(State, "_write")
around(Hub, "_post")
around(server.subprocess, "Popen")
sys.argv[:] = ["greyhub.agent", sys.argv[-1]]
main()
