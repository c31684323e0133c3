"""Another process: one that can be killed in the middle of its work."""

from __future__ import annotations

import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

from greyhub.conformance.case import Broken


class Child:
    """A fork of this process at work.

    Parameters
    ----------
    work : callable
        Is given a function that tells this process a line.
    """

    def __init__(self, work: Callable[[Callable[[str], None]], Any]) -> None:
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            # What other threads hold stays held: the child makes its clients anew.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            os.close(reader)
            _work(work, writer)
        os.close(writer)
        self._reader, self._text, self._alive = reader, "", True

    def told(self, seconds: float) -> str:
        """The next line that the child tells.

        Raises
        ------
        Broken
            It failed, ended or said nothing in time.
        """
        deadline = time.monotonic() + seconds
        while "\n" not in self._text:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._reader], [], [], left)[0]:
                raise Broken(f"the other process said nothing within {seconds:g} s")
            part = os.read(self._reader, 1 << 16)
            if not part:
                raise Broken("the other process ended early")
            self._text += part.decode()
        line, _, self._text = self._text.partition("\n")
        if line.startswith("failed: "):
            raise Broken(f"in another process, {line}")
        return line

    def kill(self) -> None:
        """End it at once, as the system does when memory is out."""
        if self._alive:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self._reader)
            self._alive = False


def _work(work: Callable[[Callable[[str], None]], Any], writer: int) -> None:
    def tell(line: str) -> None:
        os.write(writer, (line.replace("\n", " ") + "\n").encode())

    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        work(tell)
        tell("done")
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        tell(f"failed: {type(error).__name__}: {error} ({last.name}, line {last.lineno})")
    finally:
        os._exit(0)
