"""The daemon's socket: questions and their answers.

A question for all to be saved is answered with the state of the moment in which it was:
what changes from then on, nobody asked.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from greyhub.homespace.sync.client import SOCKET, bind

State = Mapping[str, Any]
"""How a home is: see `greyhub.homespace.sync.report`."""


class RequestServer:
    """Hears the questions, each in a thread of its own.

    Parameters
    ----------
    folder : Path
        Where the socket stands.
    handle : int | None
        The socket, if it is open already.
    state : Callable[[], State]
        How the home is now.
    came : Callable[[], None]
        Called when all is to be saved.
    """

    def __init__(
        self,
        folder: Path,
        handle: int | None,
        state: Callable[[], State],
        came: Callable[[], None],
    ) -> None:
        self.state, self._came = state, came
        self.new = threading.Event()
        """Somebody asked, and both sides were not looked at since."""
        self._open: list[tuple[float, SimpleQueue[State]]] = []
        """Until when each is to be answered, and its answer."""
        self.socket = _socket(folder, handle)
        threading.Thread(target=self._accept, daemon=True, name="questions").start()

    @property
    def open(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._open)

    @property
    def late(self) -> bool:
        """Whether somebody should not wait any longer."""
        now = time.monotonic()
        return any(now >= until for until, _ in self._open.copy())

    def answer(self, settled: Callable[[State], bool]) -> None:
        """Tell all who wait, if this state is what they wait for; else whose time is up."""
        if not (asked := self._open.copy()):
            return
        state, now = self.state(), time.monotonic()
        every = settled(state)
        for until, answer in asked:
            if every or now >= until:
                self._open.remove((until, answer))
                answer.put(state)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._hear, args=(connection,), daemon=True).start()

    def _hear(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):
            connection.settimeout(10)
            with connection.makefile("rb") as questions:
                question = json.loads(questions.readline(65536))
            connection.settimeout(None)
            connection.sendall(json.dumps(self._reply(question)).encode() + b"\n")

    def _reply(self, question: Mapping[str, Any]) -> State:
        what, timeout = question.get("do"), float(question.get("timeout", 60))
        if what == "status":
            return self.state()
        if what != "sync":
            return {"error": f"the home's process does not know {what!r}"}
        answer: SimpleQueue[State] = SimpleQueue()
        self.new.set()  # first: no state from before is its answer
        self._open.append((time.monotonic() + timeout, answer))
        self._came()
        with suppress(Empty):
            return answer.get(timeout=timeout + 5)
        return self.state()


def _socket(folder: Path, handle: int | None) -> socket.socket:
    if handle is not None:
        os.set_inheritable(handle, False)
        return socket.socket(fileno=handle)
    server = socket.socket(socket.AF_UNIX)
    bind(server, folder / SOCKET)
    server.listen(16)
    return server
