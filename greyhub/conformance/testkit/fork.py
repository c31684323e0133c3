"""A forked process that calls a function: it can hang or be killed without harm to this one."""

from __future__ import annotations

import atexit
import ctypes
import gc
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

from greyhub.conformance.limits import PATIENCE

_PR_SET_NAME = 15


class ProcessGone(Exception):
    """The process ended, or its time was over, before it had answered."""


class Fork:
    """A child of this process that calls a function, and then waits for its end.

    Fork only where no thread holds what the child will need. The child runs no
    exit handlers unless it is asked to `leave` as an interpreter does.

    Parameters
    ----------
    function : callable
        Called in the child, with nothing; `result` gives what it returns, if that
        can be pickled.
    leader : bool
        Whether it leads a process group of its own, which ends with it.
    """

    def __init__(self, function: Callable[[], Any], *, leader: bool = False) -> None:
        self._leader = leader
        self._status: int | None = None
        self.value: Any = None
        """What the function returned, once `result` has been asked for."""
        self._pipe, theirs = multiprocessing.Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self._pipe.close()
            _live(theirs, function, leader)
        theirs.close()

    def answered(self) -> bool:
        """Whether `result` has something to give, or to raise, at once."""
        return bool(self._pipe.poll(0))

    def result(self, timeout: float) -> Any:
        """What the function returned; what it raised is raised.

        Raises
        ------
        ProcessGone
            There is no answer, nor will there be one.
        """
        if not self._pipe.poll(timeout):
            raise ProcessGone(f"it has not answered within {timeout:g} s")
        try:
            kind, self.value = self._pipe.recv()
        except (EOFError, OSError):
            raise ProcessGone(f"its process ended with status {self.wait(PATIENCE)}") from None
        if kind == "raised":
            raise self.value
        return self.value

    def call(self, function: Callable[..., Any], *args: Any, timeout: float = 10 * PATIENCE) -> Any:
        """What a function returns over there, to which it goes by cloudpickle.

        Raises
        ------
        ProcessGone
            It does not answer, or the process has ended.
        """
        import cloudpickle  # type: ignore[import-untyped,unused-ignore]

        self._pipe.send(cloudpickle.dumps((function, args)))
        return self.result(timeout)

    def signal(self, number: int) -> None:
        """Send it a signal, it alone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as SIGKILL does."""
        self.signal(signal.SIGKILL)
        self.wait(5 * PATIENCE)

    def leave(self) -> None:
        """Tell it to end as an interpreter does that has come to its last line."""
        with suppress(OSError):
            self._pipe.send("leave")

    def wait(self, timeout: float) -> int | None:
        """Its exit status as `os.waitstatus_to_exitcode` has it; None if it still runs."""
        deadline = time.monotonic() + timeout
        while self._status is None:
            child, status = os.waitpid(self.pid, os.WNOHANG)
            if child:
                self._status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                break
            else:
                time.sleep(0.005)
        return self._status

    def close(self) -> None:
        """End it, and its group if it leads one."""
        if self._leader:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        if self._status is None:
            self.kill()
        self._pipe.close()

    def __enter__(self) -> Fork:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def is_fork(pid: int, name: str) -> bool:
    """Whether a process is a `Fork` itself, by the name that the kernel has for it."""
    return name == _mark(pid)


def _mark(pid: int) -> str:
    return f"fork-{pid}"


def _live(pipe: Any, function: Callable[[], Any], leader: bool) -> NoReturn:
    """The child's life."""
    try:
        # What it forks itself inherits the name, but not the number in it.
        ctypes.CDLL(None).prctl(_PR_SET_NAME, _mark(os.getpid()).encode())
        if leader:
            os.setsid()
        pipe.send(_answer(function))
        while (told := pipe.recv()) != "leave":
            pipe.send(_answer(partial(_obey, told)))
        _leave()
    except (EOFError, OSError):
        pass
    finally:
        os._exit(1)


def _obey(told: bytes) -> Any:
    function, args = pickle.loads(told)  # noqa: S301
    return function(*args)


def _answer(function: Callable[[], Any]) -> tuple[str, Any]:
    answer: tuple[str, Any]
    try:
        answer = ("value", function())
    except BaseException as error:
        answer = ("raised", error)
    try:
        # Some exceptions can be pickled, but not made again.
        pickle.loads(pickle.dumps(answer))  # noqa: S301
    except Exception:
        kind, value = answer
        return (
            ("raised", ProcessGone(f"its answer cannot be sent: {value!r}"))
            if kind == "value"
            else (
                kind,
                RuntimeError(f"{type(value).__name__}: {value}"),
            )
        )
    return answer


def _leave() -> NoReturn:
    # These would clear up what is the parent's.
    for handler in (weakref.finalize._exitfunc, shutil.rmtree):  # type: ignore[attr-defined]
        atexit.unregister(handler)
    gc.collect()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    os._exit(0)
