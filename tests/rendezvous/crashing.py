"""An agent that dies at one thing that it does: `python crashing.py CONTROL -m greyhub.agent …`.

It writes each thing down in CONTROL/moments: what it asks of the hub and hears, the files
that it writes, the processes that it starts and signals, and its tunnel. At the one that
CONTROL/at names, by its number or as the next one, it is killed or stops, once;
CONTROL/reached says so.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from greyhub.agent.__main__ import main
from greyhub.agent.dialling import Tunnel
from greyhub.agent.hub import Hub
from greyhub.agent.websocket import WebSocket

CONTROL, DIRECTORY = Path(sys.argv[1]), sys.argv[-1]
WRITING = os.O_WRONLY | os.O_RDWR
times = Counter[str]()
lock = threading.RLock()


def moment(what: str) -> None:
    """Something is about to be done, or was heard."""
    with lock:
        times[what] += 1
        with (CONTROL / "moments").open("a") as moments:
            moments.write(f"{what} {times[what]}\n")
        if (CONTROL / "reached").exists() or not (CONTROL / "at").exists():
            return
        wanted, how = (CONTROL / "at").read_text().rsplit(" ", 1)
        if wanted in (what, f"{what} {times[what]}"):
            (CONTROL / "reached").touch()
            os.kill(os.getpid(), signal.Signals[how])


def file_of(path: Any) -> str:
    """The name of a file of the agent's; empty if it is none."""
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
    return os.path.basename(name) if name.startswith(f"{DIRECTORY}/") else ""


def audited(event: str, given: tuple[Any, ...]) -> None:
    """What Python itself tells of."""
    if event == "open" and given[2] & WRITING and (name := file_of(given[0])):
        moment(f"write {name}")
    elif event == "os.rename" and (name := file_of(given[1])):
        moment(f"rename {name}")
    elif event == "os.remove" and os.path.exists(given[0]) and (name := file_of(given[0])):
        moment(f"remove {name}")
    elif event == "subprocess.Popen":
        moment("start the server")
    elif event == "os.kill" and given[0] != os.getpid():
        moment(f"signal {given[1]}")
    elif event == "socket.connect" and isinstance(threading.current_thread(), Tunnel):
        moment("tunnel connect")


def around(cls: type, name: str, before: Callable[..., str], after: str = "") -> None:
    original = getattr(cls, name)

    def telling(self: Any, *given: Any) -> Any:
        moment(before(*given))
        done = original(self, *given)
        if after:
            moment(f"{after} {given[0]}")
        return done

    setattr(cls, name, telling)


around(Hub, "_post", lambda what, body: f"ask {what}", "heard")
around(WebSocket, "send", lambda *given: "tunnel send")
sys.addaudithook(audited)
sys.argv[:] = ["greyhub.agent", DIRECTORY]
main()
