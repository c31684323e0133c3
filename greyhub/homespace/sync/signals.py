"""When the sync daemon may start, and the signals that end it."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

PAUSE: Final = 1.0
"""Seconds between two looks whether a home is free."""

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class EndSignals:
    """Hears that the process is to end: by a signal, or as its server has ended.

    The second signal ends it at once.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._tell: Callable[[], None] = lambda: None
        for number in SIGNALS:
            signal.signal(number, self._signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # as one that begins anew held them

    def _signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked.is_set():
            os._exit(3)
        self.end()

    def end(self) -> None:
        """It is to end now."""
        if not self.asked.is_set():
            self.asked.set()
            self._tell()

    def tell(self, function: Callable[[], None]) -> None:
        """Call this when it is to end; at once if that was heard already."""
        self._tell = function
        if self.asked.is_set():
            function()

    def tie(self) -> None:
        """End when standard input does: whoever started this process holds its other end."""
        threading.Thread(target=self._listen, daemon=True, name="tie").start()

    def _listen(self) -> None:
        while os.read(0, 1024):
            pass
        self.end()


@contextmanager
def held() -> Iterator[None]:
    """Have the signals wait: if this program gives way to another, for the `Ending` of that."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def take_turn(state: Path, ending: EndSignals) -> int | None:
    """The lock of a home, once no other process has it; None if that is not needed any more.

    Two servers of one user on one machine share the directory: one process keeps
    it for both, and when that one ends, the other's takes over.
    """
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    said = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if not said:
                print("greyhub home: another server's process keeps it", file=sys.stderr)
                said = True
        if ending.asked.wait(PAUSE):
            os.close(handle)
            return None
